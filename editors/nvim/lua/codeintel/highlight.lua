--- Highlight groups, all by `default`, so that a colour scheme or a person has the last word.

local M = {}

---@type { name: string, link: string, doc: string }[]
M.groups = {
  { name = "CodeIntelBlame", link = "Comment", doc = "The commit at the end of a line." },
  {
    name = "CodeIntelUncommitted",
    link = "CodeIntelBlame",
    doc = "The same, of a line without one.",
  },
  { name = "CodeIntelCommitId", link = "Identifier", doc = "A commit's id." },
  { name = "CodeIntelAuthor", link = "Function", doc = "An author." },
  { name = "CodeIntelDate", link = "Number", doc = "A date or an age." },
  { name = "CodeIntelPath", link = "Directory", doc = "A path in a list of results." },
  { name = "CodeIntelSymbol", link = "Title", doc = "A definition in a list of results." },
  { name = "CodeIntelLine", link = "LineNr", doc = "A line number in a list of results." },
  {
    name = "CodeIntelShared",
    link = "Comment",
    doc = "What a result has in common with the code it is similar to.",
  },
  { name = "CodeIntelStale", link = "WarningMsg", doc = "A result whose file changed since." },
  { name = "CodeIntelRange", link = "Visual", doc = "The lines of a result in a preview." },
}

M.HEAT_STEPS = 8

--- From the newest to the oldest: warm to cool, bright to dim.
local HEAT = {
  dark = { "#ff7a45", "#f59a4f", "#e3b15f", "#b9b56f", "#8aa98a", "#6b94a3", "#5a7a96", "#4d6079" },
  light = { "#c43e00", "#b85c00", "#a37000", "#7a7a10", "#4b7a4b", "#35708a", "#3f668f", "#6b7f9e" },
}

function M.define()
  for _, group in ipairs(M.groups) do
    vim.api.nvim_set_hl(0, group.name, { link = group.link, default = true })
  end
  for step, colour in ipairs(HEAT[vim.o.background] or HEAT.dark) do
    vim.api.nvim_set_hl(0, "CodeIntelHeat" .. step, { fg = colour, default = true })
  end
end

--- The group for an age. Each step is about three times as old as the one before: a day, half a
--- week, a week and a half, a month, … so that both young and old code shows its layers.
---@param age integer Seconds.
---@return string
function M.heat(age)
  local days = math.max(age / 86400, 0)
  local step = 1 + math.floor(math.log(math.max(days, 1)) / math.log(3) + 0.5)
  return "CodeIntelHeat" .. math.min(step, M.HEAT_STEPS)
end

local defined = false

--- Once, when something is about to be drawn.
function M.ensure()
  if defined then
    return
  end
  defined = true
  M.define()
  vim.api.nvim_create_autocmd({ "ColorScheme" }, {
    group = vim.api.nvim_create_augroup("codeintel.highlight", { clear = true }),
    callback = M.define,
  })
  vim.api.nvim_create_autocmd("OptionSet", {
    group = "codeintel.highlight",
    pattern = "background",
    callback = function()
      -- A default gives way to what is there, which is the other background's.
      for step = 1, M.HEAT_STEPS do
        local group = "CodeIntelHeat" .. step
        local shown = vim.api.nvim_get_hl(0, { name = group })
        local ours = shown.fg
          and vim.tbl_contains(
            vim.list_extend(vim.deepcopy(HEAT.dark), HEAT.light),
            ("#%06x"):format(shown.fg)
          )
        if ours then
          vim.api.nvim_set_hl(0, group, {})
        end
      end
      M.define()
    end,
  })
end

return M
