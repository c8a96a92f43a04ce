--- Questions by meaning: where is the code that does this, what is like this, which commit did it.

local client = require("codeintel.client")
local config = require("codeintel.config")
local filters = require("codeintel.filters")
local item = require("codeintel.picker.item")
local picker = require("codeintel.picker")
local request = require("codeintel.request")

local M = {}

local sources = 0

--- One token for one picker: the server ends the older question when the newer one comes.
---@return string
local function supersede_token()
  sources = sources + 1
  return ("picker-%d-%d"):format(vim.fn.getpid(), sources)
end

---@param hits table[]
---@param wanted? codeintel.Filters
---@return codeintel.Item[]
local function items_of(hits, wanted)
  local items = {}
  for _, hit in ipairs(hits) do
    local exact = wanted and #wanted.phrases > 0
    local line = wanted and exact and filters.line_of_phrases(wanted, hit.snippet)
    if line or not exact then
      table.insert(items, item.of_hit(hit, line and hit.snippetStartLine + line))
    end
  end
  return items
end

---@param server vim.lsp.Client
---@param query string
---@return codeintel.Source
local function search_source(server, query)
  local token = supersede_token()
  return {
    title = "Search by meaning",
    live = true,
    query = query,
    ask = function(text, answered, failed)
      local wanted = filters.parse(text)
      if wanted.query == "" then
        return answered({})
      end
      local limit = config.get().search.limit
      local params = filters.search_params(wanted, limit)
      params.supersedeToken = token
      return request.send(server, "semanticSearch", params, function(result)
        answered(vim.list_slice(items_of(result.hits, wanted), 1, limit))
      end, { bufnr = 0, quiet = true, failed = failed })
    end,
  }
end

---@param server vim.lsp.Client
---@param query string
---@return codeintel.Source
local function history_source(server, query)
  local token = supersede_token()
  return {
    title = "Search the history",
    live = true,
    query = query,
    ask = function(text, answered, failed)
      local wanted = filters.parse(text)
      if wanted.query == "" then
        return answered({})
      end
      local params = filters.history_params(wanted, config.get().search.limit)
      params.supersedeToken = token
      return request.send(server, "searchHistory", params, function(result)
        local items = {}
        for _, hit in ipairs(result.commits) do
          table.insert(
            items,
            item.of_commit({ commit = hit, root = server.root_dir, paths = hit.paths })
          )
        end
        answered(items)
      end, { quiet = true, failed = failed })
    end,
  }
end

---@param server vim.lsp.Client
---@param uri string
---@param range lsp.Range
---@return codeintel.Source
local function similar_source(server, uri, range)
  return {
    title = "Similar code",
    live = false,
    query = "",
    ask = function(_, answered, failed)
      local params = { uri = uri, range = range, limit = config.get().search.limit }
      return request.send(server, "findSimilar", params, function(result)
        answered(items_of(result.hits))
      end, { bufnr = vim.uri_to_bufnr(uri), quiet = true, failed = failed })
    end,
  }
end

---@param query? string
---@param with? string The picker.
function M.search(query, with)
  client.with_workspace(function(server)
    picker.show(search_source(server, query or ""), with)
  end)
end

---@param query? string
---@param with? string
function M.search_history(query, with)
  client.with_workspace(function(server)
    picker.show(history_source(server, query or ""), with)
  end)
end

--- Whole lines as a range, its end in the units that server and client agreed on.
---@param bufnr integer
---@param first integer 1-based
---@param last integer
---@param encoding string
---@return lsp.Range
function M.range_of_lines(bufnr, first, last, encoding)
  local text = vim.api.nvim_buf_get_lines(bufnr, last - 1, last, false)[1] or ""
  local length = #text
  if encoding ~= "utf-8" then
    local utf32, utf16 = vim.str_utfindex(text)
    length = encoding == "utf-32" and utf32 or utf16
  end
  return {
    start = { line = first - 1, character = 0 },
    ["end"] = { line = last - 1, character = length },
  }
end

--- The lines around the cursor up to blank ones: what one means by "here".
---@return integer, integer
local function paragraph()
  local here = vim.api.nvim_win_get_cursor(0)[1]
  local first, last, count = here, here, vim.api.nvim_buf_line_count(0)
  local function filled(line)
    return vim.fn.getline(line):match("%S") ~= nil
  end
  while first > 1 and filled(first - 1) do
    first = first - 1
  end
  while last < count and filled(last + 1) do
    last = last + 1
  end
  return first, last
end

---@param first? integer 1-based; without, the paragraph around the cursor.
---@param last? integer
---@param with? string
function M.similar(first, last, with)
  local bufnr = vim.api.nvim_get_current_buf()
  if not first or not last then
    first, last = paragraph()
  end
  client.with_file(bufnr, function(server)
    local range = M.range_of_lines(bufnr, first, last, server.offset_encoding)
    picker.show(similar_source(server, vim.uri_from_bufnr(bufnr), range), with)
  end)
end

--- What a code action or code lens of the server asks for.
---@param uri string
---@param range lsp.Range
function M.similar_to(uri, range)
  client.with_file(vim.uri_to_bufnr(uri), function(server)
    picker.show(similar_source(server, uri, range))
  end)
end

--- An operation in a certain picker, for the extensions.
---@param with string
---@param operation "search"|"similar"|"history"|"history_line"|"search_history"
---@param options { query?: string }
function M.with_picker(with, operation, options)
  local history = require("codeintel.history")
  local line = vim.api.nvim_win_get_cursor(0)[1]
  if operation == "similar" then
    M.similar(nil, nil, with)
  elseif operation == "history" then
    history.of_file(vim.api.nvim_get_current_buf(), with)
  elseif operation == "history_line" then
    history.of_lines(vim.api.nvim_get_current_buf(), line, line, with)
  elseif operation == "search_history" then
    M.search_history(options.query, with)
  else
    M.search(options.query, with)
  end
end

return M
