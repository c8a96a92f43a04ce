--- One result in a list: how it reads, what its preview shows, how it opens.

local M = {}

---@class codeintel.Item
---@field chunks [string, string?][] The line, in pieces with their groups.
---@field text string The same, plain.
---@field file? string
---@field first? integer 1-based
---@field last? integer
---@field at? codeintel.CommitAt
---@field act? fun() An entry that does something else, such as asking for more.

---@class codeintel.Preview
---@field lines string[]
---@field filetype string
---@field first? integer Lines to point out.
---@field last? integer

---@alias codeintel.How "edit"|"split"|"vsplit"|"tab"

---@param chunks [string, string?][]
---@return string
function M.plain(chunks)
  local pieces = {}
  for _, chunk in ipairs(chunks) do
    table.insert(pieces, chunk[1])
  end
  return table.concat(pieces)
end

---@param hit table `Hit`
---@param line? integer Where a phrase stands in it, 0-based.
---@return codeintel.Item
function M.of_hit(hit, line)
  local first, last = (line or hit.range.start.line) + 1, (line or hit.range["end"].line) + 1
  local chunks = {
    { hit.path, "CodeIntelPath" },
    { ":" .. first, "CodeIntelLine" },
  }
  if hit.symbol then
    table.insert(chunks, { "  " .. hit.symbol, "CodeIntelSymbol" })
  else
    local words = vim.trim(hit.snippet:match("[^\n]*%S[^\n]*") or "")
    table.insert(chunks, { "  " .. words })
  end
  if #(hit.sharedIdentifiers or {}) > 0 then
    local names = table.concat(hit.sharedIdentifiers, ", ")
    table.insert(chunks, { "  in common: " .. names, "CodeIntelShared" })
  end
  if hit.stale then
    table.insert(chunks, { "  changed since", "CodeIntelStale" })
  end
  return {
    chunks = chunks,
    text = M.plain(chunks),
    file = vim.uri_to_fname(hit.uri),
    first = first,
    last = last,
  }
end

---@param at codeintel.CommitAt
---@param counts? string
---@return codeintel.Item
function M.of_commit(at, counts)
  local commit = at.commit
  local chunks = {
    { commit.shortId:sub(1, 8), "CodeIntelCommitId" },
    {
      " " .. os.date("!%Y-%m-%d", commit.author.time + commit.author.offset * 60),
      "CodeIntelDate",
    },
    { " " .. commit.author.name, "CodeIntelAuthor" },
    { "  " .. commit.summary },
  }
  if counts then
    table.insert(chunks, { "  " .. counts, "CodeIntelLine" })
  end
  return { chunks = chunks, text = M.plain(chunks), at = at }
end

---@param file string
---@return string[]
local function read(file)
  local bufnr = vim.fn.bufnr("^" .. vim.fn.escape(file, "\\*?[{`$^") .. "$")
  if bufnr ~= -1 and vim.api.nvim_buf_is_loaded(bufnr) then
    return vim.api.nvim_buf_get_lines(bufnr, 0, -1, false)
  end
  local ok, lines = pcall(vim.fn.readfile, file)
  return ok and lines or { "This file cannot be read." }
end

--- What a preview shows of an item; calls back at once for a file, later for a commit.
---@param item codeintel.Item
---@param show fun(preview: codeintel.Preview)
function M.preview(item, show)
  if item.file then
    return show({
      lines = read(item.file),
      filetype = vim.filetype.match({ filename = item.file }) or "",
      first = item.first,
      last = item.last,
    })
  end
  local at = item.at
  if not at then
    return show({ lines = {}, filetype = "" })
  end
  local lines = require("codeintel.commit").header(at.commit)
  table.insert(lines, "")
  if not at.path then
    for _, path in ipairs(at.paths or {}) do
      table.insert(lines, "  " .. path)
    end
    return show({ lines = lines, filetype = "git" })
  end
  show({ lines = lines, filetype = "git" })
  local place = require("codeintel.commit").place(at, true)
  require("codeintel.revision").text(place, function(text)
    show({ lines = vim.list_extend(lines, vim.split(text, "\n")), filetype = "git" })
  end, function() end)
end

--- Opens an item: a place in its file, a commit as what it did.
---@param item codeintel.Item
---@param how codeintel.How
function M.open(item, how)
  if item.act then
    return item.act()
  end
  if item.at then
    return require("codeintel.commit").show_diff(item.at, how)
  end
  local commands = { edit = "edit", split = "split", vsplit = "vsplit", tab = "tabedit" }
  vim.cmd("normal! m'")
  vim.cmd({
    cmd = commands[how],
    args = { vim.fn.fnameescape(item.file) },
    mods = { emsg_silent = false },
    magic = { file = false, bar = false },
  })
  local last = vim.api.nvim_buf_line_count(0)
  vim.api.nvim_win_set_cursor(0, { math.max(1, math.min(item.first, last)), 0 })
  vim.cmd("normal! zvzz")
end

--- Items for |setqflist()|.
---@param items codeintel.Item[]
---@return table[]
function M.for_quickfix(items)
  local entries = {}
  for _, item in ipairs(items) do
    if item.file then
      local words = vim.list_slice(item.chunks, 3)
      table.insert(entries, {
        filename = item.file,
        lnum = item.first,
        end_lnum = item.last,
        text = vim.trim(M.plain(words)),
      })
    elseif item.at then
      local place = require("codeintel.commit").place(item.at, item.at.path == nil)
      require("codeintel.revision").remember(item.at.commit, item.at.paths or { item.at.path })
      table.insert(entries, {
        filename = require("codeintel.revision").name(place),
        module = item.at.commit.shortId:sub(1, 8),
        lnum = item.at.line,
        text = vim.trim(M.plain(vim.list_slice(item.chunks, 2))),
      })
    end
  end
  return entries
end

return M
