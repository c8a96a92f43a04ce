--- `:CodeIntel blame!`: the blame of a whole file in a window at its side, bound to its scrolling,
--- coloured by age.

local client = require("codeintel.client")
local commit = require("codeintel.commit")
local dates = require("codeintel.dates")
local highlight = require("codeintel.highlight")
local of_line = require("codeintel.blame.commit_of_line")
local request = require("codeintel.request")

local M = {}

local NAMESPACE = vim.api.nvim_create_namespace("codeintel.blame.window")
local BAR = "▌"
local AUTHOR_WIDTH = 16
local REST_MILLISECONDS = 200

---@class codeintel.BlameWindow
---@field source integer Window of the file.
---@field side integer Window of the blame.
---@field bufnr integer The file.
---@field shown integer Buffer of the blame.
---@field saved table<string, any> Options of the source window.
---@field hunks table[]
---@field commits table<string, codeintel.Commit>
---@field paints [integer, integer, string][][]
---@field timer? uv.uv_timer_t
---@field call? codeintel.Call

---@type table<integer, codeintel.BlameWindow>
local by_source = {}

local BOUND = { scrollbind = true, cursorbind = true, wrap = false, foldenable = false }

---@param text string
---@param width integer
---@return string
local function padded(text, width)
  if vim.fn.strchars(text) > width then
    text = vim.fn.strcharpart(text, 0, width - 1) .. "…"
  end
  return text .. (" "):rep(width - vim.api.nvim_strwidth(text))
end

--- The lines of the window, and for each its groups: `{ column, end column, group }`.
---@param hunks table[]
---@param commits table<string, codeintel.Commit>
---@param now integer
---@return string[], [integer, integer, string][][]
function M.layout(hunks, commits, now)
  local lines, paints = {}, {}
  for _, hunk in ipairs(hunks) do
    local known = hunk.commit and commits[hunk.commit]
    local heat = known and highlight.heat(now - known.author.time) or "CodeIntelUncommitted"
    for line = hunk.startLine, hunk.endLine do
      local text, paint = BAR, { { 0, #BAR, heat } }
      if line == hunk.startLine then
        local id = known and known.shortId:sub(1, 8) or ("·"):rep(8)
        local author = padded(known and known.author.name or "Not committed", AUTHOR_WIDTH)
        local age = known and dates.short(known.author.time, now) or ""
        text = ("%s %s %s %s"):format(BAR, id, author, age)
        local at = #BAR + 1
        table.insert(paint, { at, at + #id, "CodeIntelCommitId" })
        table.insert(
          paint,
          { at + #id + 1, at + #id + 1 + #author, known and "CodeIntelAuthor" or heat }
        )
        table.insert(paint, { #text - #age, #text, heat })
      end
      table.insert(lines, text)
      table.insert(paints, paint)
    end
  end
  return lines, paints
end

---@param view codeintel.BlameWindow
local function draw(view)
  local lines, paints = M.layout(view.hunks, view.commits, os.time())
  view.paints = paints
  vim.bo[view.shown].modifiable = true
  vim.api.nvim_buf_set_lines(view.shown, 0, -1, false, lines)
  vim.bo[view.shown].modifiable = false
end

--- Colours only the lines that are drawn: a long file has a hundred thousand marks otherwise.
local function colour_as_drawn()
  vim.api.nvim_set_decoration_provider(NAMESPACE, {
    on_win = function(_, window)
      for _, view in pairs(by_source) do
        if view.side == window then
          return true
        end
      end
      return false
    end,
    on_line = function(_, window, bufnr, row)
      for _, view in pairs(by_source) do
        for _, one in ipairs(view.side == window and view.paints[row + 1] or {}) do
          vim.api.nvim_buf_set_extmark(bufnr, NAMESPACE, row, one[1], {
            end_col = one[2],
            hl_group = one[3],
            ephemeral = true,
          })
        end
      end
    end,
  })
end

---@param view codeintel.BlameWindow
local function bind(view)
  if not vim.api.nvim_win_is_valid(view.side) then
    return
  end
  local top = vim.fn.getwininfo(view.source)[1].topline
  local row = vim.api.nvim_win_get_cursor(view.source)[1]
  vim.api.nvim_win_call(view.side, function()
    local last = vim.api.nvim_buf_line_count(view.shown)
    vim.fn.winrestview({ topline = math.min(top, last), lnum = math.min(row, last), col = 0 })
  end)
  vim.api.nvim_win_call(view.source, function()
    vim.cmd.syncbind()
  end)
end

---@param view codeintel.BlameWindow
---@param then_ fun()
local function load(view, then_)
  local server = client.of(view.bufnr)
  if not server then
    return
  end
  if view.call then
    view.call.cancel()
  end
  view.call = request.send(server, "blameRange", {
    uri = vim.uri_from_bufnr(view.bufnr),
    startLine = 0,
    endLine = math.max(0, vim.api.nvim_buf_line_count(view.bufnr) - 1),
  }, function(result)
    view.hunks, view.commits = result.hunks, result.commits
    then_()
  end, { bufnr = view.bufnr })
end

---@param source integer
function M.close(source)
  local view = by_source[source]
  if not view then
    return
  end
  by_source[source] = nil
  pcall(vim.api.nvim_del_augroup_by_name, "codeintel.blame.window." .. source)
  if view.timer then
    view.timer:stop()
    view.timer:close()
  end
  if view.call then
    view.call.cancel()
  end
  if vim.api.nvim_win_is_valid(view.side) then
    vim.api.nvim_win_close(view.side, true)
  end
  if vim.api.nvim_win_is_valid(source) then
    for name, value in pairs(view.saved) do
      vim.wo[source][name] = value
    end
  end
end

---@param view codeintel.BlameWindow
---@return codeintel.CommitAt?
local function under_cursor(view)
  local line = vim.api.nvim_win_get_cursor(view.side)[1] - 1
  for _, hunk in ipairs(view.hunks) do
    if hunk.startLine <= line and line <= hunk.endLine and hunk.commit then
      local server = client.of(view.bufnr)
      return server
        and {
          commit = view.commits[hunk.commit],
          root = server.root_dir,
          path = of_line.in_folder(server.root_dir, view.bufnr, hunk.originalPath),
          bufnr = view.bufnr,
          line = hunk.originalLine + 1 + (line - hunk.startLine),
        }
    end
  end
end

---@param view codeintel.BlameWindow
local function map_keys(view)
  local function map(key, run, desc)
    vim.keymap.set("n", key, run, { buffer = view.shown, nowait = true, desc = desc })
  end
  map("q", function()
    M.close(view.source)
  end, "close")
  map("<CR>", function()
    local at = under_cursor(view)
    if at and not require("codeintel.float").enter() then
      commit.float(at)
    end
  end, "the commit")
  for _, action in ipairs(commit.actions) do
    map(action.key, function()
      local at = under_cursor(view)
      if at then
        -- A file or a diff does not belong into the narrow window.
        vim.api.nvim_set_current_win(view.source)
        M.close(view.source)
        action.run(at)
      end
    end, action.label)
  end
end

---@param view codeintel.BlameWindow
local function follow(view)
  local group =
    vim.api.nvim_create_augroup("codeintel.blame.window." .. view.source, { clear = true })
  vim.api.nvim_create_autocmd({ "TextChanged", "TextChangedI", "BufWritePost" }, {
    group = group,
    buffer = view.bufnr,
    callback = function()
      view.timer = view.timer or assert(vim.uv.new_timer())
      view.timer:start(
        REST_MILLISECONDS,
        0,
        vim.schedule_wrap(function()
          if by_source[view.source] == view then
            load(view, function()
              draw(view)
              bind(view)
            end)
          end
        end)
      )
    end,
  })
  vim.api.nvim_create_autocmd("WinClosed", {
    group = group,
    callback = function(event)
      local closed = tonumber(event.match)
      if closed == view.source or closed == view.side then
        vim.schedule(function()
          M.close(view.source)
        end)
      end
    end,
  })
  vim.api.nvim_create_autocmd("BufWinEnter", {
    group = group,
    callback = vim.schedule_wrap(function()
      local other = vim.api.nvim_win_is_valid(view.source)
        and vim.api.nvim_win_get_buf(view.source) ~= view.bufnr
      if other then
        M.close(view.source)
      end
    end),
  })
end

---@param view codeintel.BlameWindow
local function open(view)
  view.shown = vim.api.nvim_create_buf(false, true)
  vim.bo[view.shown].bufhidden, vim.bo[view.shown].filetype = "wipe", "codeintelblame"
  draw(view)
  local width = 1 + 1 + 8 + 1 + AUTHOR_WIDTH + 1 + 5
  view.side = vim.api.nvim_open_win(view.shown, false, {
    split = "left",
    win = view.source,
    width = width,
    style = "minimal",
  })
  for name in pairs(BOUND) do
    view.saved[name] = vim.wo[view.source][name]
  end
  for _, window in ipairs({ view.side, view.source }) do
    for name, value in pairs(BOUND) do
      vim.api.nvim_set_option_value(name, value, { win = window, scope = "local" })
    end
  end
  vim.wo[view.side].winfixwidth = true
  vim.wo[view.side].statusline = " Blame"
  vim.wo[view.side].winbar = vim.wo[view.source].winbar ~= "" and " " or ""
  by_source[view.source] = view
  map_keys(view)
  follow(view)
  bind(view)
end

--- Opens it beside the current window, or closes it.
function M.toggle()
  local window = vim.api.nvim_get_current_win()
  for source, view in pairs(by_source) do
    if window == source or window == view.side then
      return M.close(source)
    end
  end
  local bufnr = vim.api.nvim_get_current_buf()
  client.with_file(bufnr, function()
    if by_source[window] or not vim.api.nvim_win_is_valid(window) then
      return
    end
    highlight.ensure()
    colour_as_drawn()
    ---@type codeintel.BlameWindow
    local view = {
      source = window,
      side = -1,
      bufnr = bufnr,
      shown = -1,
      saved = {},
      hunks = {},
      commits = {},
      paints = {},
    }
    load(view, function()
      if vim.api.nvim_win_is_valid(window) and vim.api.nvim_win_get_buf(window) == bufnr then
        open(view)
      end
    end)
  end)
end

return M
