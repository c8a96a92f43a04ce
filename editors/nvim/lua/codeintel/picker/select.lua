--- |vim.ui.select()|, stock or replaced, and |vim.ui.input()| for the query.

local item = require("codeintel.picker.item")

local M = {}

--- The stock one prints a numbered list: longer than the screen, it would have to be paged.
---@return integer
local function most()
  local stock = debug.getinfo(vim.ui.select, "S").source:match("vim/ui%.lua$") ~= nil
  return stock and math.max(3, vim.o.lines - 6) or math.huge
end

--- Asks for the query first, where the source needs one and has none.
---@param source codeintel.Source
---@param callback fun()
function M.with_query(source, callback)
  if not source.live or source.query ~= "" then
    return callback()
  end
  vim.ui.input({ prompt = source.title .. ": " }, function(query)
    if query and vim.trim(query) ~= "" then
      source.query = query
      callback()
    end
  end)
end

---@param source codeintel.Source
---@param items codeintel.Item[]
local function choose(source, items)
  local shown = vim.list_slice(items, 1, math.min(#items, most()))
  local all = {
    text = ("all %d in the quickfix list"):format(#items),
    chunks = {},
    act = function()
      require("codeintel.picker.quickfix").fill(source.title, items)
    end,
  }
  table.insert(shown, all)
  local room = vim.o.columns - 8
  vim.ui.select(shown, {
    prompt = source.title .. (source.query ~= "" and ": " .. source.query or ""),
    kind = "codeintel",
    format_item = function(one)
      local text = one.text
      if vim.api.nvim_strwidth(text) > room then
        text = vim.fn.strcharpart(text, 0, room - 1) .. "…"
      end
      return text
    end,
  }, function(chosen)
    if chosen then
      -- The stock list's lines are still on the screen: clear them before something is drawn.
      vim.cmd.redraw()
      item.open(chosen, "edit")
    end
  end)
end

---@param source codeintel.Source
function M.show(source)
  M.with_query(source, function()
    require("codeintel.picker").once(source, function(items)
      choose(source, items)
    end)
  end)
end

return M
