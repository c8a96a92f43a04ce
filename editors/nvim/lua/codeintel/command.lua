--- `:CodeIntel`: its subcommands, once, for dispatch, completion and the help.

local M = {}

---@class codeintel.Given
---@field words string The rest of the line.
---@field bang boolean
---@field range boolean
---@field line1 integer
---@field line2 integer

---@class codeintel.Subcommand
---@field name string
---@field arguments? string
---@field bang? boolean
---@field values? string[] Completed arguments.
---@field doc string
---@field run fun(given: codeintel.Given)

local function history_of(given)
  local history, bufnr = require("codeintel.history"), vim.api.nvim_get_current_buf()
  if given.range or given.words == "line" then
    local here = vim.api.nvim_win_get_cursor(0)[1]
    local first, last = here, here
    if given.range then
      first, last = given.line1, given.line2
    end
    return history.of_lines(bufnr, first, last)
  end
  history.of_file(bufnr)
end

---@type codeintel.Subcommand[]
M.subcommands = {
  {
    name = "search",
    arguments = "[query]",
    doc = "Search by meaning, live where the picker can. Filters: |codeintel-filters|. With `!`, "
      .. "the results go to the quickfix list.",
    bang = true,
    run = function(given)
      require("codeintel.search").search(given.words, given.bang and "quickfix" or nil)
    end,
  },
  {
    name = "similar",
    doc = "Find code like the range given, or like the paragraph around the cursor.",
    run = function(given)
      local first, last = given.line1, given.line2
      require("codeintel.search").similar(given.range and first or nil, given.range and last or nil)
    end,
  },
  {
    name = "blame",
    bang = true,
    doc = "Toggle the commit of the cursor's line at its end. `blame!`: the blame of the whole "
      .. "file in a window at its side.",
    run = function(given)
      if given.bang then
        require("codeintel.blame.window").toggle()
      else
        require("codeintel.blame.line").set()
      end
    end,
  },
  {
    name = "line",
    doc = "The commit of the cursor's line in a float; again: enter it, for its keys.",
    run = function()
      require("codeintel.blame.commit_of_line").show()
    end,
  },
  {
    name = "history",
    arguments = "[file|line]",
    values = { "file", "line" },
    doc = "The commits of the file, or of the cursor's line or the range given.",
    run = history_of,
  },
  {
    name = "searchhistory",
    arguments = "[query]",
    bang = true,
    doc = "Search commits by meaning. With `!`, the results go to the quickfix list.",
    run = function(given)
      require("codeintel.search").search_history(given.words, given.bang and "quickfix" or nil)
    end,
  },
  {
    name = "diff",
    arguments = "[revision]",
    doc = "Compare the file with what it was at a commit, a branch or a tag; without: HEAD.",
    run = function(given)
      local bufnr = vim.api.nvim_get_current_buf()
      require("codeintel.client").with_file(bufnr, function(server)
        local name = vim.api.nvim_buf_get_name(bufnr)
        require("codeintel.revision").compare(bufnr, {
          root = server.root_dir,
          commit = given.words ~= "" and given.words or "HEAD",
          path = vim.fs.relpath and vim.fs.relpath(server.root_dir, name)
            or name:sub(#server.root_dir + 2),
          diff = false,
        })
      end)
    end,
  },
  {
    name = "status",
    doc = "What is indexed, what was left out and why.",
    run = function()
      require("codeintel.status").show()
    end,
  },
  {
    name = "rebuild",
    doc = "Index the workspace from nothing; searches see the old index until then.",
    run = function()
      require("codeintel.status").work("rebuildIndex", "rebuilt")
    end,
  },
  {
    name = "merge",
    doc = "Make one index of the large one and what has come since.",
    run = function()
      require("codeintel.status").work("mergeIndexes", "merged")
    end,
  },
  {
    name = "restart",
    bang = true,
    doc = "End the connection and begin a new one. With `!`, the shared server as well.",
    run = function(given)
      require("codeintel.client").restart(given.bang)
    end,
  },
  {
    name = "log",
    doc = "The end of the server's log.",
    run = function()
      require("codeintel.status").log()
    end,
  },
}

---@param name string
---@return codeintel.Subcommand?
local function find(name)
  for _, subcommand in ipairs(M.subcommands) do
    if subcommand.name == name then
      return subcommand
    end
  end
end

---@param given vim.api.keyset.create_user_command.command_args
function M.run(given)
  local name, mark, words = given.args:match("^(%S-)(!?)%s+(.*)$")
  if not name then
    name, mark = given.args:match("^(.-)(!?)$")
    words = ""
  end
  local subcommand = find(name)
  local notify = require("codeintel.notify")
  if name == "" then
    return notify.info("subcommands: " .. table.concat(M.complete("", "CodeIntel ", 10), " "))
  end
  if not subcommand then
    return notify.warn(('there is no subcommand "%s"; see :help :CodeIntel'):format(name))
  end
  local bang = given.bang or mark == "!"
  if bang and not subcommand.bang then
    return notify.warn(("%s takes no !"):format(name))
  end
  if words ~= "" and not subcommand.arguments then
    return notify.warn(("%s takes no arguments"):format(name))
  end
  if words ~= "" and subcommand.values and not vim.tbl_contains(subcommand.values, words) then
    return notify.warn(("%s takes %s"):format(name, table.concat(subcommand.values, " or ")))
  end
  subcommand.run({
    words = vim.trim(words),
    bang = bang,
    range = given.range > 0,
    line1 = given.line1,
    line2 = given.line2,
  })
end

--- Keys of filters, for completing a query.
local FILTERS = { "lang:", "path:", "author:", "since:", "until:" }

---@param lead string
---@param line string
---@param position integer
---@return string[]
function M.complete(lead, line, position)
  local before = line:sub(1, position):match("CodeIntel!?%s+(.*)$") or ""
  local name = before:match("^(%S+)%s")
  local candidates = {}
  if not name then
    for _, subcommand in ipairs(M.subcommands) do
      table.insert(candidates, subcommand.name)
    end
  else
    local subcommand = find((name:gsub("!$", "")))
    if subcommand and subcommand.values then
      candidates = subcommand.values
    elseif subcommand and subcommand.arguments == "[query]" then
      candidates = FILTERS
    end
  end
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

return M
