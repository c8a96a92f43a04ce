--- What happens when a file is opened, renamed or written.

local client = require("codeintel.client")
local config = require("codeintel.config")

local M = {}

local listening = false

---@param bufnr integer
---@param event string
function M.on_buffer(bufnr, event)
  if not listening then
    listening = true
    require("codeintel.blame.line").listen()
  end
  if not config.get().autostart or not vim.api.nvim_buf_is_loaded(bufnr) then
    return
  end
  if event == "BufFilePost" then
    -- Another name is another document; Neovim tells the server so by itself where it is attached.
    require("codeintel.blame.cache").forget(bufnr)
    local root = client.root_of(bufnr)
    for _, one in ipairs(vim.lsp.get_clients({ bufnr = bufnr, name = client.NAME })) do
      if one.root_dir ~= root then
        vim.lsp.buf_detach_client(bufnr, one.id)
      end
    end
  end
  client.attach(bufnr)
  if event == "BufFilePost" then
    require("codeintel.blame.line").update()
  end
end

return M
