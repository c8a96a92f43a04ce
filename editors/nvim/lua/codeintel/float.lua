--- A small window beside the cursor. Asking again enters it, as with |vim.lsp.buf.hover()|.

local M = {}

---@class codeintel.FloatOptions
---@field title? string
---@field filetype? string
---@field footer? string
---@field keys? table<string, fun()> What a key does in it.
---@field anchor_cursor? boolean Beside the cursor; else in the middle.

---@type integer?
local shown

---@return integer? window
function M.window()
  return shown and vim.api.nvim_win_is_valid(shown) and shown or nil
end

function M.close()
  if M.window() then
    vim.api.nvim_win_close(shown, true)
  end
  shown = nil
end

---@param lines string[]
---@param options codeintel.FloatOptions
---@return { relative: string, width: integer, height: integer, row: number, col: number }
local function place(lines, options)
  local width = vim.api.nvim_strwidth(options.footer or "") + 2
  for _, line in ipairs(lines) do
    width = math.max(width, vim.api.nvim_strwidth(line))
  end
  width = math.max(20, math.min(width, vim.o.columns - 6))
  local height = 0
  for _, line in ipairs(lines) do
    height = height + math.max(1, math.ceil(vim.api.nvim_strwidth(line) / width))
  end
  height = math.max(1, math.min(height, math.floor(vim.o.lines * 0.7)))
  if not options.anchor_cursor then
    return {
      relative = "editor",
      width = width,
      height = height,
      row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
      col = math.max(0, math.floor((vim.o.columns - width) / 2) - 1),
    }
  end
  local below = vim.fn.winline() + height + 2 <= vim.api.nvim_win_get_height(0)
  return {
    relative = "cursor",
    width = width,
    height = height,
    row = below and 1 or -height - 2,
    col = 0,
  }
end

---@param lines string[]
---@param options codeintel.FloatOptions
---@return integer bufnr, integer window
function M.open(lines, options)
  M.close()
  local source = vim.api.nvim_get_current_buf()
  local bufnr = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, lines)
  vim.bo[bufnr].bufhidden, vim.bo[bufnr].modifiable = "wipe", false
  local layout = vim.tbl_extend("force", place(lines, options), {
    style = "minimal",
    border = (vim.fn.exists("&winborder") == 1 and vim.o.winborder ~= "" and vim.o.winborder)
      or "rounded",
    title = options.title and " " .. options.title .. " ",
    footer = options.footer and " " .. options.footer .. " ",
    zindex = 60,
  })
  -- What tells of the cursor's place stays beside it; the rest is there to be read.
  local window = vim.api.nvim_open_win(bufnr, not options.anchor_cursor, layout)
  shown = window
  vim.wo[window].wrap, vim.wo[window].linebreak = true, true
  vim.wo[window].conceallevel = 2
  if options.filetype then
    vim.bo[bufnr].filetype = options.filetype
  end
  for key, run in
    pairs(vim.tbl_extend("keep", options.keys or {}, { q = M.close, ["<Esc>"] = M.close }))
  do
    vim.keymap.set("n", key, run, { buffer = bufnr, nowait = true })
  end
  local group = vim.api.nvim_create_augroup("codeintel.float", { clear = true })
  if options.anchor_cursor then
    vim.api.nvim_create_autocmd({ "CursorMoved", "CursorMovedI", "InsertEnter", "BufLeave" }, {
      group = group,
      buffer = source,
      callback = function()
        if vim.api.nvim_get_current_win() ~= window then
          -- Entering it leaves the source's buffer, too: look when that is over.
          vim.schedule(function()
            if shown == window and vim.api.nvim_get_current_win() ~= window then
              M.close()
            end
          end)
        end
      end,
    })
  end
  vim.api.nvim_create_autocmd("WinLeave", {
    group = group,
    buffer = bufnr,
    callback = vim.schedule_wrap(function()
      if shown == window then
        M.close()
      end
    end),
  })
  return bufnr, window
end

--- Enters it where it is open.
---@return boolean entered
function M.enter()
  local window = M.window()
  if window then
    vim.api.nvim_set_current_win(window)
  end
  return window ~= nil
end

return M
