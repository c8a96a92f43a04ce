local actions = {
  close = function()
    vim.cmd("only!")
  end,
}
for _, name in ipairs({ "select_default", "select_horizontal", "select_vertical", "select_tab" }) do
  actions[name] = {
    replace = function(action, run)
      action.run = run
    end,
  }
end
return actions
