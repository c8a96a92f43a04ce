--- What is known of the lines around the cursor, per buffer.
---
--- An edit moves the lines at once, without asking: what was changed has no commit, what lies
--- below has the one that it had. The server, which knows the unsaved text, has the last word.

local client = require("codeintel.client")
local request = require("codeintel.request")

local M = {}

--- Lines asked for above and below the window.
local MARGIN = 60
--- What is known is asked for again after so long, since the world may have moved on.
local FRESH_SECONDS = 20

---@class codeintel.Known
---@field first integer The first line known, 0-based.
---@field lines (string|false)[] Commit ids; false: not committed.
---@field commits table<string, codeintel.Commit>
---@field origins table<string, string> Path as a commit had it, by commit id.
---@field tick integer The text that was blamed.
---@field time number
---@field call? codeintel.Call
---@field asked? integer The client that was asked.
---@field outdated boolean
---@field refused boolean There is no blame of this file, as of one that git does not track.

---@type table<integer, codeintel.Known>
local buffers = {}

---@param known codeintel.Known
---@param first integer
---@param last integer
---@param new_last integer
function M.shift(known, first, last, new_last)
  local lines = known.lines
  local from = math.max(first - known.first, 0)
  if first >= known.first + #lines then
    return -- Below all that is known.
  end
  if last <= known.first then
    -- Above all that is known.
    known.first = known.first + (new_last - last)
    return
  end
  local removed = math.min(last - known.first, #lines) - from
  local added = new_last - first
  if first < known.first then
    known.first = first
  end
  if removed == added then
    for i = from + 1, from + removed do
      lines[i] = false
    end
    return
  end
  local tail = {}
  for i = from + removed + 1, #lines do
    table.insert(tail, lines[i])
  end
  for i = #lines, from + 1, -1 do
    lines[i] = nil
  end
  for _ = 1, math.min(added, 1000) do
    table.insert(lines, false)
  end
  if added <= 1000 then
    vim.list_extend(lines, tail)
  end
end

---@param bufnr integer
local function follow(bufnr)
  vim.api.nvim_buf_attach(bufnr, false, {
    on_lines = function(_, _, _, first, last, new_last)
      local known = buffers[bufnr]
      if not known then
        return true
      end
      M.shift(known, first, last, new_last)
    end,
    on_reload = function()
      if buffers[bufnr] then
        buffers[bufnr].outdated = true
      end
    end,
    on_detach = function()
      M.forget(bufnr)
    end,
  })
end

---@param bufnr integer
function M.forget(bufnr)
  local known = buffers[bufnr]
  buffers[bufnr] = nil
  if known and known.call then
    known.call.cancel()
  end
end

--- What is known of a line: its commit, false where it has none, nil where nobody asked yet.
---@param bufnr integer
---@param line integer 0-based
---@return codeintel.Commit|false|nil
function M.get(bufnr, line)
  local known = buffers[bufnr]
  local id = known and known.lines[line - known.first + 1]
  if id then
    return known.commits[id]
  end
  return id
end

--- The path that a line's file had at its commit, relative to the repository.
---@param bufnr integer
---@param commit_id string
---@return string?
function M.origin(bufnr, commit_id)
  return buffers[bufnr] and buffers[bufnr].origins[commit_id]
end

--- Whether the server has said so of this very text, lately.
---@param bufnr integer
---@param line integer
---@return boolean
function M.is_settled(bufnr, line)
  local known = buffers[bufnr]
  return known ~= nil
    and (known.refused or known.lines[line - known.first + 1] ~= nil)
    and known.tick == vim.api.nvim_buf_get_changedtick(bufnr)
    and not known.outdated
    and vim.uv.now() / 1000 - known.time < FRESH_SECONDS
end

--- Whether what is known was said of another text than the present one.
---@param bufnr integer
---@return boolean
function M.is_of_older_text(bufnr)
  local known = buffers[bufnr]
  return known ~= nil and known.tick ~= vim.api.nvim_buf_get_changedtick(bufnr)
end

---@param hunks table[]
---@param first integer
---@return (string|false)[], table<string, string>
local function spread(hunks, first)
  local lines, origins = {}, {}
  for _, hunk in ipairs(hunks) do
    local id = hunk.commit or false
    for line = hunk.startLine, hunk.endLine do
      lines[line - first + 1] = id
    end
    if id then
      origins[id] = hunk.originalPath
    end
  end
  return lines, origins
end

--- Asks for the lines around a line, and calls back when they are known. A question that is under
--- way is waited for, not repeated.
---@param bufnr integer
---@param line integer
---@param answered fun(settled: boolean)
function M.ask(bufnr, line, answered)
  local server = client.of(bufnr)
  local known = buffers[bufnr]
  if not server then
    return
  end
  if known and known.call and not known.call.done then
    if known.asked == server.id then
      return
    end
    known.call.cancel() -- Of a client that is on its way out.
  end
  if not known then
    known = {
      first = 0,
      lines = {},
      commits = {},
      origins = {},
      tick = -1,
      time = 0,
      outdated = false,
      refused = false,
    }
    buffers[bufnr] = known
    follow(bufnr)
  end
  local window = vim.fn.bufwinid(bufnr)
  local top, bottom = line, line
  if window ~= -1 then
    top, bottom = vim.fn.line("w0", window) - 1, vim.fn.line("w$", window) - 1
  end
  local first = math.max(0, math.min(top, line) - MARGIN)
  local tick = vim.api.nvim_buf_get_changedtick(bufnr)
  known.asked = server.id
  known.call = request.send(server, "blameRange", {
    uri = vim.uri_from_bufnr(bufnr),
    startLine = first,
    endLine = math.max(bottom, line) + MARGIN,
  }, function(result)
    if buffers[bufnr] ~= known or not vim.api.nvim_buf_is_valid(bufnr) then
      return
    end
    local settled = tick == vim.api.nvim_buf_get_changedtick(bufnr)
    if settled then
      -- Otherwise what was shifted is better than an answer about another text.
      known.first = first
      known.lines, known.origins = spread(result.hunks, first)
      known.commits = result.commits
      known.tick, known.time, known.outdated = tick, vim.uv.now() / 1000, false
      known.refused = false
    end
    answered(settled)
  end, {
    bufnr = bufnr,
    quiet = true, -- An untracked file, a repository without a commit: there is nothing to show.
    failed = function(_, gone)
      if gone then
        return -- Its successor will be asked.
      end
      known.tick, known.time = tick, vim.uv.now() / 1000
      known.lines, known.outdated, known.refused = {}, false, true
    end,
  })
end

--- What is known of the buffers of a client may be of the past.
---@param client_id integer
function M.outdated(client_id)
  for bufnr, known in pairs(buffers) do
    if vim.lsp.buf_is_attached(bufnr, client_id) then
      known.outdated = true
    end
  end
  require("codeintel.blame.line").refresh()
end

return M
