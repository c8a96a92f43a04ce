--- What is shown of a commit, and what can be done with it.

local dates = require("codeintel.dates")
local notify = require("codeintel.notify")
local revision = require("codeintel.revision")

local M = {}

---@class codeintel.CommitAt
---@field commit codeintel.Commit
---@field root string
---@field path? string As the commit had it, relative to the root; nil for a commit as a whole.
---@field paths? string[]
---@field bufnr? integer The buffer that it is about.
---@field line? integer 1-based, as the commit numbered it.

---@param commit codeintel.Commit
---@return string[]
function M.header(commit)
  local author = commit.author
  local lines = {
    "commit " .. commit.id,
    ("Author: %s <%s>"):format(author.name, author.email),
    ("Date:   %s (%s)"):format(
      dates.full(author.time, author.offset),
      dates.relative(author.time, os.time())
    ),
    "",
  }
  for line in vim.gsplit(vim.trim(commit.message), "\r?\n") do
    table.insert(lines, line == "" and "" or "    " .. line)
  end
  return lines
end

---@param at codeintel.CommitAt
---@param diff boolean
---@return codeintel.Place
function M.place(at, diff)
  return { root = at.root, commit = at.commit.id, path = at.path or "", diff = diff }
end

---@param at codeintel.CommitAt
---@param how? "edit"|"split"|"vsplit"|"tab"
function M.show_diff(at, how)
  revision.remember(at.commit, at.paths or { at.path })
  revision.open(M.place(at, true), how or "edit")
end

---@param at codeintel.CommitAt
---@param how? "edit"|"split"|"vsplit"|"tab"
function M.open_file(at, how)
  if not at.path then
    return M.show_diff(at, how)
  end
  revision.open(M.place(at, false), how or "edit", at.line)
end

---@param at codeintel.CommitAt
function M.compare(at)
  if at.bufnr and at.path then
    revision.compare(at.bufnr, M.place(at, false))
  else
    M.show_diff(at)
  end
end

---@param at codeintel.CommitAt
function M.browse(at)
  if not at.commit.url then
    return notify.info("the repository's remote has no page for commits")
  end
  vim.ui.open(at.commit.url)
end

---@param at codeintel.CommitAt
function M.yank(at)
  vim.fn.setreg(vim.v.register, at.commit.id)
  notify.info("yanked " .. at.commit.shortId)
end

--- What can be done, by key. The order is that of a list to choose from.
---@type { key: string, label: string, run: fun(at: codeintel.CommitAt), needs_path?: boolean }[]
M.actions = {
  { key = "d", label = "diff", run = M.show_diff },
  { key = "f", label = "file then", run = M.open_file, needs_path = true },
  { key = "c", label = "compare", run = M.compare, needs_path = true },
  { key = "o", label = "open page", run = M.browse },
  { key = "y", label = "yank id", run = M.yank },
}

--- A commit in a float beside the cursor, with its actions.
---@param at codeintel.CommitAt
---@param more? { key: string, label: string, run: fun(at: codeintel.CommitAt) }[]
function M.float(at, more)
  local float = require("codeintel.float")
  local lines = M.header(at.commit)
  table.remove(lines, 1)
  local actions = vim.list_extend(vim.list_slice(M.actions), more or {})
  local keys, labels = {}, {}
  for _, action in ipairs(actions) do
    if not action.needs_path or at.path then
      keys[action.key] = function()
        float.close()
        action.run(at)
      end
      table.insert(labels, action.key .. " " .. action.label)
    end
  end
  local bufnr = float.open(lines, {
    title = at.commit.shortId,
    footer = table.concat(labels, "  "),
    keys = keys,
    anchor_cursor = true,
  })
  local namespace = vim.api.nvim_create_namespace("codeintel.commit")
  local function paint(row, from, to, group)
    vim.api.nvim_buf_set_extmark(bufnr, namespace, row, from, { end_col = to, hl_group = group })
  end
  require("codeintel.highlight").ensure()
  paint(0, 8, #lines[1], "CodeIntelAuthor")
  paint(1, 8, #lines[2], "CodeIntelDate")
end

return M
