--- `:CodeIntel line`: the commit of the cursor's line, in a float; asked again, enters it.

local client = require("codeintel.client")
local commit = require("codeintel.commit")
local notify = require("codeintel.notify")
local request = require("codeintel.request")

local M = {}

--- A path of the repository as the client's folder has it. Of a folder inside a repository, what
--- lies outside cannot be shown.
---@param root string
---@param bufnr integer
---@param path string
---@return string?
function M.in_folder(root, bufnr, path)
  local repository = vim.fs.root(bufnr, ".git") or root
  if repository == root then
    return path
  end
  local prefix = root:sub(#repository + 2) .. "/"
  return vim.startswith(path, prefix) and path:sub(#prefix + 1) or nil
end

--- Calls back with the commit of a line of a buffer; says why where there is none.
---@param bufnr integer
---@param line integer 0-based
---@param callback fun(at: codeintel.CommitAt)
function M.find(bufnr, line, callback)
  client.with_file(bufnr, function(server)
    request.send(server, "blameRange", {
      uri = vim.uri_from_bufnr(bufnr),
      startLine = line,
      endLine = line,
    }, function(result)
      local hunk = result.hunks[1]
      if not hunk or not hunk.commit then
        return notify.info("this line is not committed yet")
      end
      callback({
        commit = result.commits[hunk.commit],
        root = server.root_dir,
        path = M.in_folder(server.root_dir, bufnr, hunk.originalPath),
        bufnr = bufnr,
        line = hunk.originalLine + 1 + (line - hunk.startLine),
      })
    end, { bufnr = bufnr })
  end)
end

function M.show()
  if require("codeintel.float").enter() then
    return
  end
  local bufnr = vim.api.nvim_get_current_buf()
  local line = vim.api.nvim_win_get_cursor(0)[1]
  M.find(bufnr, line - 1, function(at)
    local still_there = vim.api.nvim_get_current_buf() == bufnr
      and vim.api.nvim_win_get_cursor(0)[1] == line
    if still_there then
      commit.float(at, {
        {
          key = "h",
          label = "history",
          run = function()
            require("codeintel.history").of_lines(bufnr, line, line)
          end,
        },
      })
    end
  end)
end

return M
