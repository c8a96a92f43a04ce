--- The public functions. `setup` is optional.

local M = {}

--- Takes over options. What is wrong is told and left at its default.
---@param options? codeintel.Options
function M.setup(options)
  require("codeintel.config").set(options)
  if package.loaded["codeintel.attach"] then
    -- Called after files were opened: they are served by the new options from now on.
    require("codeintel.blame.line").listen()
  end
end

--- Searches by meaning, in the picker.
---@param query? string With filters: |codeintel-filters|.
function M.search(query)
  require("codeintel.search").search(query)
end

--- Searches commits by meaning, in the picker.
---@param query? string
function M.search_history(query)
  require("codeintel.search").search_history(query)
end

--- Finds code like some lines of the current buffer, or like the paragraph around the cursor.
---@param first? integer 1-based
---@param last? integer
function M.similar(first, last)
  require("codeintel.search").similar(first, last)
end

--- Shows the commit of the cursor's line at its end, or no longer.
---@param on? boolean Toggles without.
function M.blame_line(on)
  require("codeintel.blame.line").set(on)
end

--- Opens or closes the blame of the whole file beside the current window.
function M.blame_file()
  require("codeintel.blame.window").toggle()
end

--- Shows the commit of the cursor's line in a float; called again, enters it.
function M.commit()
  require("codeintel.blame.commit_of_line").show()
end

--- Shows the commits of the current file, or of some of its lines.
---@param first? integer 1-based
---@param last? integer
function M.history(first, last)
  local history, bufnr = require("codeintel.history"), vim.api.nvim_get_current_buf()
  if first then
    history.of_lines(bufnr, first, last or first)
  else
    history.of_file(bufnr)
  end
end

--- A few characters for a statusline: `CI`, `CI indexing`, `CI !`; empty where no server serves
--- the buffer. Cheap enough to be called at every redraw.
---@param bufnr? integer
---@return string
function M.statusline(bufnr)
  return require("codeintel.status").statusline(bufnr)
end

--- The latest status of the server of a buffer, as the autocommand `User CodeIntelStatus` told it.
---@param bufnr? integer
---@return codeintel.Status?
function M.status(bufnr)
  return require("codeintel.status").of(bufnr or vim.api.nvim_get_current_buf())
end

return M
