--- The commits that made a file, or some lines of it.

local client = require("codeintel.client")
local config = require("codeintel.config")
local item = require("codeintel.picker.item")
local picker = require("codeintel.picker")
local request = require("codeintel.request")

local M = {}

---@param entry table `HistoryEntry`
---@return string?
local function counts(entry)
  if not entry.additions then
    return entry.previousPath and "renamed" or nil
  end
  local text = ("+%d -%d"):format(entry.additions, entry.deletions)
  return entry.previousPath and text .. " renamed" or text
end

---@param server vim.lsp.Client
---@param bufnr integer
---@param entries table[]
---@return codeintel.Item[]
local function items_of(server, bufnr, entries)
  local in_folder = require("codeintel.blame.commit_of_line").in_folder
  return vim.tbl_map(function(entry)
    local at = {
      commit = entry,
      root = server.root_dir,
      path = in_folder(server.root_dir, bufnr, entry.path),
      bufnr = bufnr,
    }
    return item.of_commit(at, counts(entry))
  end, entries)
end

---@param server vim.lsp.Client
---@param uri string
---@param range? lsp.Range
---@param title string
---@param before codeintel.Item[] What earlier pages brought.
---@param cursor? string
---@param with? string
---@return codeintel.Source
local function source(server, uri, range, title, before, cursor, with)
  local bufnr = vim.uri_to_bufnr(uri)
  return {
    title = title,
    live = false,
    query = "",
    ask = function(_, answered, failed)
      local params =
        { uri = uri, range = range, limit = config.get().history.limit, cursor = cursor }
      return request.send(server, "fileHistory", params, function(result)
        local items =
          vim.list_extend(vim.list_slice(before), items_of(server, bufnr, result.entries))
        if result.nextCursor then
          local so_far = vim.list_slice(items)
          table.insert(items, {
            text = "… older commits",
            chunks = { { "… older commits", "CodeIntelDate" } },
            act = function()
              picker.show(source(server, uri, range, title, so_far, result.nextCursor, with), with)
            end,
          })
        end
        answered(items)
      end, { bufnr = bufnr, quiet = true, failed = failed })
    end,
  }
end

---@param bufnr integer
---@param with? string
function M.of_file(bufnr, with)
  client.with_file(bufnr, function(server)
    local title = "History of " .. vim.fs.basename(vim.api.nvim_buf_get_name(bufnr))
    picker.show(source(server, vim.uri_from_bufnr(bufnr), nil, title, {}, nil, with), with)
  end)
end

---@param bufnr integer
---@param first integer 1-based
---@param last integer
---@param with? string
function M.of_lines(bufnr, first, last, with)
  client.with_file(bufnr, function(server)
    local range =
      require("codeintel.search").range_of_lines(bufnr, first, last, server.offset_encoding)
    local lines = first == last and "line " .. first or ("lines %d–%d"):format(first, last)
    local title = "History of " .. lines
    picker.show(source(server, vim.uri_from_bufnr(bufnr), range, title, {}, nil, with), with)
  end)
end

--- What a code lens or a code action of the server asks for.
---@param uri string
---@param range? lsp.Range
function M.of_uri(uri, range)
  client.with_file(vim.uri_to_bufnr(uri), function(server)
    picker.show(source(server, uri, range, "History", {}, nil))
  end)
end

return M
