--- Buffers that show what was: a file at a commit, or what a commit did.
---
---     codeintel-git:///home/me/project//<commit>/<path>         the file
---     codeintel-git:///home/me/project//<commit>/<path>?diff    what the commit did to it
---     codeintel-git:///home/me/project//<commit>?diff           what it did, as far as is known
---
--- The server's own addresses (`codeintel-git:/<path>?<JSON>`) are understood, too.

local M = {}

local SCHEME = "codeintel-git:"

---@class codeintel.Place
---@field root string The folder, as the server has it open.
---@field commit string
---@field path string Relative to it.
---@field diff boolean

---@param place codeintel.Place
---@return string
function M.name(place)
  local path = place.path ~= "" and "/" .. place.path or ""
  return SCHEME
    .. "//"
    .. place.root
    .. "//"
    .. place.commit
    .. path
    .. (place.diff and "?diff" or "")
end

---@param name string
---@return codeintel.Place?
function M.parse_name(name)
  local root, rest = name:match("^codeintel%-git://(/.-)//(.+)$")
  if not root then
    return nil
  end
  local diff = rest:match("%?diff$") ~= nil
  rest = rest:gsub("%?diff$", "")
  local commit, path = rest:match("^([^/]+)/?(.*)$")
  return { root = root, commit = commit, path = path, diff = diff }
end

--- From an address of the server.
---@param uri string
---@return codeintel.Place?
function M.parse_uri(uri)
  local path, query = uri:match("^codeintel%-git:/*([^?]*)%?(.+)$")
  if not path then
    return nil
  end
  local ok, given = pcall(vim.json.decode, vim.uri_decode(query))
  if not ok or type(given) ~= "table" or type(given.folder) ~= "string" then
    return nil
  end
  return {
    root = vim.uri_to_fname(given.folder),
    commit = tostring(given.commit),
    path = vim.uri_decode(path),
    diff = given.diff == true,
  }
end

---@param place codeintel.Place
---@return string
local function server_uri(place)
  local query = vim.json.encode({
    commit = place.commit,
    folder = vim.uri_from_fname(place.root),
    diff = place.diff or nil,
  })
  local path = vim.uri_encode(place.path, "rfc2396")
  return SCHEME .. "/" .. path .. "?" .. vim.uri_encode(query, "rfc3986")
end

--- Asks for the text of a place.
---@param place codeintel.Place
---@param answered fun(text: string)
---@param failed fun(message: string)
---@return codeintel.Call?
function M.text(place, answered, failed)
  local request = require("codeintel.request")
  for _, one in ipairs(require("codeintel.client").all()) do
    if one.ready and one.root == place.root then
      local ask = { quiet = true, failed = failed }
      local uri = server_uri(place)
      return request.raw(
        one.client,
        "workspace/textDocumentContent",
        { uri = uri },
        function(result)
          answered(result.text)
        end,
        ask
      )
    end
  end
  failed("no server has " .. vim.fs.basename(place.root) .. " open")
end

--- Commits that were shown, with the paths that they are known to have touched.
---@type table<string, { commit: codeintel.Commit, paths: string[] }>
local seen = {}

--- Remembers a commit, for the head of its diff.
---@param commit codeintel.Commit
---@param paths string[]
function M.remember(commit, paths)
  seen[commit.id] = { commit = commit, paths = paths }
end

---@param bufnr integer
---@param text string
local function fill(bufnr, text)
  if not vim.api.nvim_buf_is_valid(bufnr) then
    return
  end
  text = text:gsub("\r\n", "\n")
  local lines = vim.split(text, "\n", { plain = true })
  if #lines > 1 and lines[#lines] == "" then
    table.remove(lines)
  end
  vim.bo[bufnr].modifiable, vim.bo[bufnr].readonly = true, false
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].modified, vim.bo[bufnr].modifiable, vim.bo[bufnr].readonly = false, false, true
  local wanted = vim.b[bufnr].codeintel_line
  if wanted then
    vim.b[bufnr].codeintel_line = nil
    local window = vim.fn.bufwinid(bufnr)
    if window ~= -1 then
      pcall(vim.api.nvim_win_set_cursor, window, { math.min(wanted, #lines), 0 })
    end
  end
end

--- The head of a commit's diff, as far as it is known.
---@param commit string
---@return string
local function head(commit)
  local known = seen[commit]
  if not known then
    return "commit " .. commit .. "\n\n"
  end
  return table.concat(require("codeintel.commit").header(known.commit), "\n") .. "\n\n"
end

---@param bufnr integer
---@param place codeintel.Place
local function fill_with_diffs(bufnr, place)
  local paths = place.path ~= "" and { place.path } or (seen[place.commit] or { paths = {} }).paths
  local diffs, left = {}, #paths
  if left == 0 then
    return fill(bufnr, head(place.commit))
  end
  local function one_done()
    left = left - 1
    if left == 0 then
      fill(bufnr, head(place.commit) .. table.concat(diffs, "\n"))
    end
  end
  for i, path in ipairs(paths) do
    local wanted = { root = place.root, commit = place.commit, path = path, diff = true }
    M.text(wanted, function(text)
      diffs[i] = text
      one_done()
    end, function(message)
      diffs[i] = path .. ": " .. message
      one_done()
    end)
  end
end

--- Fills a buffer by its name; for `BufReadCmd`.
---@param bufnr integer
function M.read(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  local place = M.parse_name(name) or M.parse_uri(name)
  vim.bo[bufnr].buftype, vim.bo[bufnr].swapfile, vim.bo[bufnr].undolevels = "nowrite", false, -1
  vim.bo[bufnr].modifiable = false
  if not place then
    return require("codeintel.notify").warn("not an address of a file at a commit")
  end
  if place.diff then
    vim.bo[bufnr].filetype = "git"
    return fill_with_diffs(bufnr, place)
  end
  M.text(place, function(text)
    fill(bufnr, text)
    local filetype = vim.filetype.match({ buf = bufnr, filename = place.path })
    if filetype and vim.api.nvim_buf_is_valid(bufnr) then
      vim.bo[bufnr].filetype = filetype
    end
  end, function(message)
    fill(bufnr, message)
    require("codeintel.notify").warn(message)
  end)
end

local COMMANDS = { edit = "edit", split = "split", vsplit = "vsplit", tab = "tabedit" }

--- Opens a place in a window.
---@param place codeintel.Place
---@param how "edit"|"split"|"vsplit"|"tab"
---@param line? integer 1-based
function M.open(place, how, line)
  vim.cmd({ cmd = COMMANDS[how], args = { vim.fn.fnameescape(M.name(place)) } })
  if line then
    local bufnr = vim.api.nvim_get_current_buf()
    if vim.api.nvim_buf_line_count(bufnr) >= line then
      vim.api.nvim_win_set_cursor(0, { line, 0 })
    else
      vim.b[bufnr].codeintel_line = line
    end
  end
end

--- Compares the file of a buffer with what it was.
---@param bufnr integer
---@param place codeintel.Place
function M.compare(bufnr, place)
  local window = vim.fn.bufwinid(bufnr)
  if window == -1 then
    vim.cmd("tab sbuffer " .. bufnr)
  else
    vim.api.nvim_set_current_win(window)
  end
  vim.cmd("leftabove vertical diffsplit " .. vim.fn.fnameescape(M.name(place)))
end

return M
