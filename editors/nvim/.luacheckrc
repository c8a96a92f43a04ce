std = "luajit"
read_globals = { "vim" }
max_line_length = 100
-- Neovim's options are fields that are assigned.
globals = { "vim.o", "vim.bo", "vim.wo", "vim.b", "vim.g", "vim.w", "vim.go" }
