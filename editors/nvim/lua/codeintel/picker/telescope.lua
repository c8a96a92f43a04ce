--- Results in telescope.

local item = require("codeintel.picker.item")

local M = {}

local RANGE = vim.api.nvim_create_namespace("codeintel.preview")

---@param one codeintel.Item
local function to_entry(one)
  return {
    value = one,
    ordinal = one.text,
    display = function()
      local text, highlights = "", {}
      for _, chunk in ipairs(one.chunks) do
        if chunk[2] then
          table.insert(highlights, { { #text, #text + #chunk[1] }, chunk[2] })
        end
        text = text .. chunk[1]
      end
      return text, highlights
    end,
    -- What telescope's own actions (quickfix list, splits) look for.
    filename = one.file or (one.at and item.for_quickfix({ one })[1].filename),
    lnum = one.first or (one.at and one.at.line),
    col = 1,
    text = one.text,
  }
end

---@param bufnr integer
---@param window integer
---@param preview codeintel.Preview
local function point_out(bufnr, window, preview)
  if not vim.api.nvim_win_is_valid(window) or vim.api.nvim_win_get_buf(window) ~= bufnr then
    return
  end
  vim.api.nvim_buf_clear_namespace(bufnr, RANGE, 0, -1)
  for line = preview.first, math.min(preview.last, #preview.lines) do
    vim.api.nvim_buf_set_extmark(bufnr, RANGE, line - 1, 0, { line_hl_group = "CodeIntelRange" })
  end
  pcall(vim.api.nvim_win_set_cursor, window, { preview.first, 0 })
  vim.api.nvim_win_call(window, function()
    vim.cmd("normal! zz")
  end)
end

---@return table
local function previewer()
  return require("telescope.previewers").new_buffer_previewer({
    title = "Preview",
    define_preview = function(self, entry)
      local bufnr, window = self.state.bufnr, self.state.winid
      item.preview(entry.value, function(preview)
        if not vim.api.nvim_buf_is_valid(bufnr) or self.state.bufnr ~= bufnr then
          return
        end
        vim.api.nvim_buf_set_lines(bufnr, 0, -1, false, preview.lines)
        require("telescope.previewers.utils").highlighter(bufnr, preview.filetype)
        if preview.first then
          -- The window gets the buffer only after this.
          vim.schedule(function()
            point_out(bufnr, window, preview)
          end)
        end
      end)
    end,
  })
end

---@param source codeintel.Source
---@return table
local function live_finder(source)
  local live = require("codeintel.picker.live").new(source)
  return setmetatable({ close = live.close }, {
    __call = function(_, prompt, process_result, process_complete)
      live.ask(prompt, function(items)
        for index, one in ipairs(items) do
          local entry = to_entry(one)
          entry.index = index
          if process_result(entry) then
            return
          end
        end
        process_complete()
      end)
    end,
  })
end

---@param source codeintel.Source
---@param finder table
---@param options table
local function open(source, finder, options)
  local conf = require("telescope.config").values
  local actions, state = require("telescope.actions"), require("telescope.actions.state")
  require("telescope.pickers")
    .new(options, {
      prompt_title = source.title,
      default_text = source.live and source.query or nil,
      finder = finder,
      -- The server has ranked; what it found is not to be ranked by letters again.
      sorter = source.live and require("telescope.sorters").empty() or conf.generic_sorter(options),
      previewer = previewer(),
      attach_mappings = function()
        for how, action in pairs({
          edit = actions.select_default,
          split = actions.select_horizontal,
          vsplit = actions.select_vertical,
          tab = actions.select_tab,
        }) do
          action:replace(function(prompt_bufnr)
            local entry = state.get_selected_entry()
            actions.close(prompt_bufnr)
            if entry then
              item.open(entry.value, how)
            end
          end)
        end
        return true
      end,
    })
    :find()
end

---@param source codeintel.Source
---@param options? table Telescope's.
function M.show(source, options)
  options = options or {}
  if source.live then
    return open(source, live_finder(source), options)
  end
  require("codeintel.picker").once(source, function(items)
    local finder =
      require("telescope.finders").new_table({ results = items, entry_maker = to_entry })
    open(source, finder, options)
  end)
end

return M
