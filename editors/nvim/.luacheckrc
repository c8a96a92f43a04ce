std = "luajit"
self = false
read_globals = { "vim" }
-- StyLua breaks what can be broken at 100 columns; strings and annotations cannot.
max_line_length = false
-- Neovim's options are fields that are assigned.
globals = { "vim.o", "vim.bo", "vim.wo", "vim.b", "vim.g", "vim.w", "vim.go" }
