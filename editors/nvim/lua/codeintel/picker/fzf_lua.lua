--- Results in fzf-lua.

local item = require("codeintel.picker.item")

local M = {}

local RANGE = vim.api.nvim_create_namespace("codeintel.preview")
--- Between an entry's number, which fzf does not show, and its text.
local SEPARATOR = "\t"

---@param items codeintel.Item[] Those that are in the list.
---@return table
local function previewer(items)
  local base = require("fzf-lua.previewer.builtin").base
  local Previewer = base:extend()

  function Previewer:new(o, options, window)
    Previewer.super.new(self, o, options, window)
    setmetatable(self, Previewer)
    return self
  end

  function Previewer:populate_preview_buf(entry)
    local one = items[tonumber(entry:match("^%d+"))]
    if not one then
      return
    end
    local bufnr = self:get_tmp_buffer()
    self:set_preview_buf(bufnr)
    item.preview(one, function(shown)
      if not vim.api.nvim_buf_is_valid(bufnr) then
        return
      end
      vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, shown.lines)
      vim.bo[bufnr].filetype = shown.filetype
      local window = vim.fn.bufwinid(bufnr)
      if shown.first and window ~= -1 then
        for line = shown.first, math.min(shown.last, #shown.lines) do
          vim.api.nvim_buf_set_extmark(
            bufnr,
            RANGE,
            line - 1,
            0,
            { line_hl_group = "CodeIntelRange" }
          )
        end
        pcall(vim.api.nvim_win_set_cursor, window, { math.min(shown.first, #shown.lines), 0 })
        vim.api.nvim_win_call(window, function()
          vim.cmd("normal! zz")
        end)
      end
    end)
  end

  return Previewer
end

---@param one codeintel.Item
---@param index integer
---@return string
local function to_line(one, index)
  local colour = require("fzf-lua.utils").ansi_from_hl
  local text = ""
  for _, chunk in ipairs(one.chunks) do
    text = text .. (chunk[2] and colour(chunk[2], chunk[1]) or chunk[1])
  end
  return index .. SEPARATOR .. text
end

---@param source codeintel.Source
---@param items codeintel.Item[]
---@return table
local function options(source, items)
  local function opener(how)
    return function(selected)
      local one = selected[1] and items[tonumber(selected[1]:match("^%d+"))]
      if one then
        item.open(one, how)
      end
    end
  end
  return {
    prompt = "> ",
    winopts = { title = " " .. source.title .. " " },
    previewer = previewer(items),
    fzf_opts = {
      ["--delimiter"] = SEPARATOR,
      ["--with-nth"] = "2..",
      ["--no-multi"] = true,
    },
    actions = {
      ["enter"] = opener("edit"),
      ["ctrl-s"] = opener("split"),
      ["ctrl-v"] = opener("vsplit"),
      ["ctrl-t"] = opener("tab"),
      ["alt-q"] = function()
        require("codeintel.picker.quickfix").fill(source.title, items)
      end,
    },
  }
end

---@param source codeintel.Source
function M.show(source)
  local fzf = require("fzf-lua")
  if not source.live then
    return require("codeintel.picker").once(source, function(items)
      local lines = {}
      for index, one in ipairs(items) do
        lines[index] = to_line(one, index)
      end
      fzf.fzf_exec(lines, options(source, items))
    end)
  end
  local live = require("codeintel.picker.live").new(source)
  local items = {}
  local given = options(source, items)
  given.query = source.query
  given.exec_empty_query = true
  given.winopts.on_close = live.close
  fzf.fzf_live(function(arguments)
    local query = arguments[1] or ""
    return function(found)
      live.ask(query, function(answer)
        -- The same table, since actions and preview look into it.
        for index = #items, 1, -1 do
          items[index] = nil
        end
        for index, one in ipairs(answer) do
          items[index] = one
          found(to_line(one, index))
        end
        found(nil)
      end)
    end
  end, given)
end

return M
