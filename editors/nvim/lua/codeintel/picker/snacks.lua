--- Results in snacks' picker.

local item = require("codeintel.picker.item")

local M = {}

local RANGE = vim.api.nvim_create_namespace("codeintel.preview")
local HOW = { edit = "edit", split = "split", vsplit = "vsplit", tab = "tab" }

---@param one codeintel.Item
---@return table
local function to_entry(one)
  return {
    text = one.text,
    item = one,
    file = one.file or (one.at and item.for_quickfix({ one })[1].filename),
    pos = one.first and { one.first, 0 } or nil,
  }
end

---@param ctx table
local function preview(ctx)
  local entry = ctx.item
  item.preview(entry.item, function(shown)
    if ctx.preview.item ~= nil and ctx.preview.item ~= entry then
      return -- The selection has moved on.
    end
    ctx.preview:reset()
    ctx.preview:set_lines(shown.lines)
    ctx.preview:highlight({ ft = shown.filetype })
    local bufnr, window = ctx.preview.win.buf, ctx.preview.win.win
    if shown.first and bufnr and window then
      for line = shown.first, math.min(shown.last, #shown.lines) do
        vim.api.nvim_buf_set_extmark(
          bufnr,
          RANGE,
          line - 1,
          0,
          { line_hl_group = "CodeIntelRange" }
        )
      end
      pcall(vim.api.nvim_win_set_cursor, window, { math.min(shown.first, #shown.lines), 0 })
      vim.api.nvim_win_call(window, function()
        vim.cmd("normal! zz")
      end)
    end
  end)
end

--- A finder that waits for the answer in snacks' own way of waiting, and is ended by it.
---@param source codeintel.Source
---@return function
local function live_finder(source)
  local live = require("codeintel.picker.live").new(source)
  return function(_, ctx)
    local query = ctx.filter.search
    ---@async
    return function(found)
      local async = require("snacks.picker.util.async").running()
      local items, ended = nil, false
      async:on("abort", function()
        ended = true
      end)
      live.ask(query, function(answer)
        items = answer
        async:resume()
      end)
      while not items and not ended do
        async:suspend()
      end
      for _, one in ipairs(items or {}) do
        found(to_entry(one))
      end
    end
  end
end

---@param source codeintel.Source
---@param options table
local function open(source, options)
  local actions = {}
  for how in pairs(HOW) do
    actions["codeintel_" .. how] = function(picker, entry)
      picker:close()
      if entry then
        vim.schedule(function()
          item.open(entry.item, how)
        end)
      end
    end
  end
  local keys = {
    ["<c-s>"] = { "codeintel_split", mode = { "i", "n" } },
    ["<c-v>"] = { "codeintel_vsplit", mode = { "i", "n" } },
    ["<c-t>"] = { "codeintel_tab", mode = { "i", "n" } },
  }
  require("snacks.picker").pick(vim.tbl_extend("force", {
    source = "codeintel",
    title = source.title,
    format = function(entry)
      return entry.item.chunks
    end,
    preview = preview,
    confirm = "codeintel_edit",
    actions = actions,
    win = { input = { keys = keys }, list = { keys = keys } },
  }, options))
end

---@param source codeintel.Source
function M.show(source)
  if source.live then
    return open(source, {
      live = true,
      search = source.query,
      finder = live_finder(source),
      -- The server has ranked.
      sort = { fields = { "idx" } },
    })
  end
  require("codeintel.picker").once(source, function(items)
    open(source, { items = vim.tbl_map(to_entry, items) })
  end)
end

return M
