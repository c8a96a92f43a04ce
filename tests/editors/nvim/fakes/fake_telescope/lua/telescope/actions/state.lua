local M = { selected = nil }

function M.get_selected_entry()
  return M.selected
end

return M
