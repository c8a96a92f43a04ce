--- Tells a person something, in one line, so that no "Press ENTER" comes of it.

local M = {}

--- What a message line holds beside the text: showcmd and the ruler stand there, too.
local MARGIN = 14

---@param text string
---@return string
function M.one_line(text)
  text = vim.trim((text:gsub("%s+", " ")))
  local room = vim.o.columns * math.max(1, vim.o.cmdheight) - MARGIN
  if vim.api.nvim_strwidth(text) > room then
    text = vim.fn.strcharpart(text, 0, math.max(0, room - 1)) .. "…"
  end
  return text
end

---@param text string
---@param level integer
local function tell(text, level)
  vim.schedule(function()
    -- A user's own vim.notify wraps and scrolls by itself; the stock one is the command line.
    vim.notify(M.one_line("codeintel: " .. text), level, { title = "codeintel" })
  end)
end

---@param text string
function M.info(text)
  tell(text, vim.log.levels.INFO)
end

---@param text string
function M.warn(text)
  tell(text, vim.log.levels.WARN)
end

---@type table<string, true>
local told = {}

--- The same sentence is told once in a session.
---@param text string
function M.warn_once(text)
  if not told[text] then
    told[text] = true
    M.warn(text)
  end
end

return M
