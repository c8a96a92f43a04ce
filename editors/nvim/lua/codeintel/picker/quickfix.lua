--- Results in the quickfix list.

local item = require("codeintel.picker.item")

local M = {}

---@param title string
---@param items codeintel.Item[]
function M.fill(title, items)
  vim.fn.setqflist({}, " ", { title = title, items = item.for_quickfix(items) })
  vim.cmd("botright copen")
end

---@param source codeintel.Source
function M.show(source)
  require("codeintel.picker.select").with_query(source, function()
    require("codeintel.picker").once(source, function(items)
      M.fill(source.title .. (source.query ~= "" and ": " .. source.query or ""), items)
    end)
  end)
end

return M
