---@meta
-- Written by scripts/help.lua from the schema in config.lua and from editors/protocol.md's words.

---@class codeintel.Person
---@field name string
---@field email string
---@field time integer Unix seconds, UTC.
---@field offset integer Minutes east of UTC.

---@class codeintel.Commit
---@field id string
---@field shortId string
---@field author codeintel.Person
---@field committer codeintel.Person
---@field summary string
---@field message string
---@field parents string[]
---@field url? string

---@class codeintel.BlameConfig
---@field enabled boolean Show the commit of the cursor's line at its end. `:CodeIntel blame` toggles it.
---@field delay integer Milliseconds of rest before lines that are not known yet are asked for.
---@field format string|fun(commit: codeintel.Commit): string What is shown: `{author}`, `{email}`, `{date}`, `{summary}`, `{id}`; `{{` stands for a brace. Or a function.
---@field format_uncommitted string What is shown of a line that has no commit; empty: nothing.
---@field date string `relative`, or a format of strftime() such as `%Y-%m-%d`.
---@field position "eol"|"right_align"|"eol_right_align" Where the text stands: `virt_text_pos` of nvim_buf_set_extmark(). `eol_right_align` needs Neovim 0.11.
---@field priority integer Priority of the text among those at the end of a line.
---@field insert boolean Show it in insert mode, too.
---@field max_lines integer Longer buffers show no blame.
---@field ignored_filetypes string[] File types that show no blame.

---@class codeintel.HistoryConfig
---@field limit integer Commits of one page of a history, at most 1000. The last entry asks for more.

---@class codeintel.SearchConfig
---@field debounce integer Milliseconds without a key before a live picker asks.
---@field limit integer Results of one question, at most 200.

---@class codeintel.Config
---@field cmd string[] How the server is started: a program and its arguments.
---@field cmd_env table<string, string> More environment for the server.
---@field autostart boolean Start the server when a file of a workspace is opened. Without, only commands do.
---@field root_markers string[] What a workspace's root holds. The nearest directory above a file that has one is its root.
---@field root_dir (fun(bufnr: integer): string?)? Finds the root instead of `root_markers`; nil means that the file has none.
---@field settings table<string, any> The server's settings (`codeintel-ls config --schema` lists them), such as `{ search = { limit = 30 }, index = { exclude = { "vendor/" } } }`.
---@field hover boolean Let vim.lsp.buf.hover() show the commit of a line. Off, so that K keeps its meaning in files that no other server serves.
---@field max_file_size integer Larger files, in bytes, are left alone.
---@field picker "auto"|"snacks"|"telescope"|"fzf-lua"|"select"|"quickfix" Where results are shown. `auto` takes the first that is installed of snacks, telescope and fzf-lua, and vim.ui.select() otherwise.
---@field search codeintel.SearchConfig
---@field history codeintel.HistoryConfig
---@field blame codeintel.BlameConfig

---@class codeintel.BlameOptions
---@field enabled? boolean Show the commit of the cursor's line at its end. `:CodeIntel blame` toggles it.
---@field delay? integer Milliseconds of rest before lines that are not known yet are asked for.
---@field format? string|fun(commit: codeintel.Commit): string What is shown: `{author}`, `{email}`, `{date}`, `{summary}`, `{id}`; `{{` stands for a brace. Or a function.
---@field format_uncommitted? string What is shown of a line that has no commit; empty: nothing.
---@field date? string `relative`, or a format of strftime() such as `%Y-%m-%d`.
---@field position? "eol"|"right_align"|"eol_right_align" Where the text stands: `virt_text_pos` of nvim_buf_set_extmark(). `eol_right_align` needs Neovim 0.11.
---@field priority? integer Priority of the text among those at the end of a line.
---@field insert? boolean Show it in insert mode, too.
---@field max_lines? integer Longer buffers show no blame.
---@field ignored_filetypes? string[] File types that show no blame.

---@class codeintel.HistoryOptions
---@field limit? integer Commits of one page of a history, at most 1000. The last entry asks for more.

---@class codeintel.SearchOptions
---@field debounce? integer Milliseconds without a key before a live picker asks.
---@field limit? integer Results of one question, at most 200.

---@class codeintel.Options
---@field cmd? string[] How the server is started: a program and its arguments.
---@field cmd_env? table<string, string> More environment for the server.
---@field autostart? boolean Start the server when a file of a workspace is opened. Without, only commands do.
---@field root_markers? string[] What a workspace's root holds. The nearest directory above a file that has one is its root.
---@field root_dir? (fun(bufnr: integer): string?)? Finds the root instead of `root_markers`; nil means that the file has none.
---@field settings? table<string, any> The server's settings (`codeintel-ls config --schema` lists them), such as `{ search = { limit = 30 }, index = { exclude = { "vendor/" } } }`.
---@field hover? boolean Let vim.lsp.buf.hover() show the commit of a line. Off, so that K keeps its meaning in files that no other server serves.
---@field max_file_size? integer Larger files, in bytes, are left alone.
---@field picker? "auto"|"snacks"|"telescope"|"fzf-lua"|"select"|"quickfix" Where results are shown. `auto` takes the first that is installed of snacks, telescope and fzf-lua, and vim.ui.select() otherwise.
---@field search? codeintel.SearchOptions
---@field history? codeintel.HistoryOptions
---@field blame? codeintel.BlameOptions
