local actions, state = require("telescope.actions"), require("telescope.actions.state")

local M = {}

function M.new(_, picker)
  function picker:find()
    vim.cmd("tabnew")
    local list = vim.api.nvim_get_current_buf()
    vim.bo.buftype = "nofile"
    vim.cmd("vnew")
    local shown = { bufnr = vim.api.nvim_get_current_buf(), winid = vim.api.nvim_get_current_win() }
    vim.bo.buftype = "nofile"
    vim.cmd("wincmd p")
    picker.attach_mappings()
    vim.keymap.set("n", "<CR>", function()
      actions.select_default.run(list)
    end, { buffer = list })
    local lines, first = { picker.prompt_title }, nil
    picker.finder(picker.default_text or "", function(entry)
      first = first or entry
      table.insert(lines, (entry.display()))
    end, function()
      vim.api.nvim_buf_set_lines(list, 0, -1, false, lines)
      state.selected = first
      picker.previewer.define_preview({ state = shown }, first)
    end)
  end
  return picker
end

return M
