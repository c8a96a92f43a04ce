--- The commit of the cursor's line, at its end. Drawn from what is known at once; asked for where
--- it is not, after a moment's rest.

local cache = require("codeintel.blame.cache")
local client = require("codeintel.client")
local config = require("codeintel.config")
local highlight = require("codeintel.highlight")
local template = require("codeintel.template")

local M = {}

local NAMESPACE = vim.api.nvim_create_namespace("codeintel.blame")
local MARK = 1

---@type boolean?
local enabled
---@type uv.uv_timer_t?
local timer
--- When the cursor last went where nothing is known, in milliseconds.
local last_moved = 0
--- What stands where, so that the same is not drawn twice.
---@type { bufnr: integer, line: integer, text: string }?
local drawn

---@return boolean
function M.is_enabled()
  if enabled == nil then
    enabled = config.get().blame.enabled
  end
  return enabled
end

---@param bufnr integer
---@return boolean
local function is_shown_in(bufnr)
  local options = config.get().blame
  return vim.bo[bufnr].buftype == ""
    and vim.api.nvim_buf_line_count(bufnr) <= options.max_lines
    and not vim.tbl_contains(options.ignored_filetypes, vim.bo[bufnr].filetype)
    and client.of(bufnr) ~= nil
end

local function erase()
  if drawn and vim.api.nvim_buf_is_valid(drawn.bufnr) then
    vim.api.nvim_buf_del_extmark(drawn.bufnr, NAMESPACE, MARK)
    vim.b[drawn.bufnr].codeintel_blame = nil
  end
  drawn = nil
end

---@param bufnr integer
---@param line integer
---@param commit codeintel.Commit|false
local function draw(bufnr, line, commit)
  local options = config.get().blame
  local text = options.format_uncommitted
  if commit then
    text = template.render(commit, options.format, options.date, os.time())
  end
  if
    drawn
    and drawn.bufnr == bufnr
    and drawn.line == line
    and drawn.text == text
    and vim.deep_equal(vim.api.nvim_buf_get_extmark_by_id(bufnr, NAMESPACE, MARK, {}), { line, 0 })
  then
    return
  end
  if drawn and drawn.bufnr ~= bufnr then
    erase()
  end
  if text == "" then
    return erase()
  end
  local margin = options.position == "eol" and "    " or ""
  vim.api.nvim_buf_set_extmark(bufnr, NAMESPACE, line, 0, {
    id = MARK,
    virt_text = {
      { margin .. text, commit and "CodeIntelBlame" or "CodeIntelUncommitted" },
    },
    virt_text_pos = options.position,
    hl_mode = "combine",
    priority = options.priority,
    undo_restore = false,
  })
  drawn = { bufnr = bufnr, line = line, text = text }
  vim.b[bufnr].codeintel_blame = text
end

---@param bufnr integer
---@param line integer
local function ask(bufnr, line)
  cache.ask(bufnr, line, function(settled)
    if settled then
      M.update()
    else
      M.refresh()
    end
  end)
end

--- A cursor that rested is answered at once; one that runs, and somebody who types, when they rest.
---@param typed boolean
local function ask_soon(typed)
  timer = timer or assert(vim.uv.new_timer())
  local delay, now = config.get().blame.delay, vim.uv.now()
  local rested = not typed and now - last_moved > delay
  last_moved = now
  timer:start(
    rested and 0 or delay,
    0,
    vim.schedule_wrap(function()
      local bufnr = vim.api.nvim_get_current_buf()
      if M.is_enabled() and is_shown_in(bufnr) then
        ask(bufnr, vim.api.nvim_win_get_cursor(0)[1] - 1)
      end
    end)
  )
end

--- Draws what is known of the cursor's line, and asks where that is not the server's latest word.
function M.update()
  local bufnr = vim.api.nvim_get_current_buf()
  local mode = vim.api.nvim_get_mode().mode
  if
    not M.is_enabled()
    or not is_shown_in(bufnr)
    or (mode:sub(1, 1) == "i" and not config.get().blame.insert)
  then
    return erase()
  end
  highlight.ensure()
  local row = vim.api.nvim_win_get_cursor(0)[1]
  local commit = cache.get(bufnr, row - 1)
  if commit == nil or vim.fn.foldclosed(row) ~= -1 then
    erase()
  else
    draw(bufnr, row - 1, commit)
  end
  if not cache.is_settled(bufnr, row - 1) then
    ask_soon(cache.is_of_older_text(bufnr))
  end
end

--- Asks again for what is shown.
function M.refresh()
  if M.is_enabled() then
    ask_soon(true)
  end
end

---@param event { event: string, buf: integer }
local function changed(event)
  local hidden = event.event == "InsertEnter" and not config.get().blame.insert
  if hidden or event.event == "BufLeave" or event.event == "WinLeave" then
    return erase()
  end
  if event.event == "FocusGained" then
    return M.refresh()
  end
  M.update()
end

--- Listens only while it is wanted.
function M.listen()
  local group = vim.api.nvim_create_augroup("codeintel.blame", { clear = true })
  if not M.is_enabled() then
    return erase()
  end
  vim.api.nvim_create_autocmd({
    "BufEnter",
    "BufLeave",
    "BufWritePost",
    "CursorMoved",
    "CursorMovedI",
    "FocusGained",
    "InsertEnter",
    "InsertLeave",
    "TextChanged",
    "TextChangedI",
    "WinEnter",
    "WinLeave",
  }, { group = group, callback = changed })
  vim.api.nvim_create_autocmd("LspAttach", {
    group = group,
    callback = vim.schedule_wrap(M.update),
  })
  M.update()
end

---@param on? boolean Toggles without.
function M.set(on)
  if on == nil then
    on = not M.is_enabled()
  end
  enabled = on
  M.listen()
end

return M
