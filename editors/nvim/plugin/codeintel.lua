-- Requires nothing before it is used: what is here only says where to look.

if vim.g.loaded_codeintel then
  return
end
vim.g.loaded_codeintel = true

if vim.fn.has("nvim-0.10") == 0 then
  vim.notify("codeintel needs Neovim 0.10 or newer", vim.log.levels.WARN)
  return
end

local command = vim.api.nvim_create_user_command
local autocmd = vim.api.nvim_create_autocmd
local map = vim.keymap.set

command("CodeIntel", function(given)
  require("codeintel.command").run(given)
end, {
  nargs = "*",
  bang = true,
  range = true,
  desc = "Search by meaning, blame and history",
  complete = function(...)
    return require("codeintel.command").complete(...)
  end,
})

local group = vim.api.nvim_create_augroup("codeintel", { clear = true })
autocmd({ "BufReadPost", "BufNewFile", "BufFilePost", "BufWritePost" }, {
  group = group,
  desc = "Serve the files of a workspace",
  callback = function(event)
    if vim.bo[event.buf].buftype == "" then
      vim.schedule(function()
        require("codeintel.attach").on_buffer(event.buf, event.event)
      end)
    end
  end,
})
autocmd("BufReadCmd", {
  group = group,
  pattern = { "codeintel-git:/*" },
  desc = "A file as it was at a commit",
  callback = function(event)
    require("codeintel.revision").read(event.buf)
  end,
})

for name, arguments in pairs({
  search = "search",
  similar = "similar",
  blame = "blame",
  ["blame-file"] = "blame!",
  line = "line",
  history = "history",
  ["history-line"] = "history line",
  ["search-history"] = "searchhistory",
  status = "status",
}) do
  local bang = arguments:sub(-1) == "!" and "!" or ""
  local rest = bang == "!" and arguments:sub(1, -2) or arguments
  map("n", "<Plug>(codeintel-" .. name .. ")", ("<Cmd>CodeIntel%s %s<CR>"):format(bang, rest))
end
map("x", "<Plug>(codeintel-similar)", ":CodeIntel similar<CR>", { silent = true })
map("x", "<Plug>(codeintel-history-line)", ":CodeIntel history line<CR>", { silent = true })
