--- A fake of snacks' picker: it runs the finder as snacks does, and shows the list.
local M = {}

function M.pick(options)
  local entries, picker = {}, {}
  function picker:close()
    vim.cmd("only!")
  end
  vim.cmd("new")
  vim.bo.buftype = "nofile"
  local bufnr = vim.api.nvim_get_current_buf()
  vim.keymap.set("n", "<CR>", function()
    options.actions[options.confirm](picker, entries[1])
  end, { buffer = bufnr })
  local function show()
    local lines = {}
    for _, entry in ipairs(entries) do
      local text = ""
      for _, chunk in ipairs(options.format(entry)) do
        text = text .. chunk[1]
      end
      table.insert(lines, text)
    end
    vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  end
  if options.items then
    entries = options.items
    return show()
  end
  local find = options.finder(options, { filter = { search = options.search } })
  coroutine.wrap(function()
    find(function(entry)
      table.insert(entries, entry)
    end)
    show()
  end)()
end

return M
