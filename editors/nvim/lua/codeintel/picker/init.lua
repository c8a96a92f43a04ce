--- Shows what a source finds, in the picker that a person has.

local config = require("codeintel.config")

local M = {}

---@class codeintel.Source
---@field title string
---@field live boolean Asks anew for every query; otherwise once.
---@field query string
---@field ask fun(query: string, answered: fun(items: codeintel.Item[]), failed: fun(message: string)): codeintel.Call?

---@type { name: string, needs: string }[]
M.KNOWN = {
  { name = "snacks", needs = "snacks.picker" },
  { name = "telescope", needs = "telescope" },
  { name = "fzf-lua", needs = "fzf-lua" },
}

--- Whether a module could be required, without requiring it.
---@param module string
---@return boolean
local function exists(module)
  if package.loaded[module] then
    return true
  end
  local path = module:gsub("%.", "/")
  for _, pattern in ipairs({ "lua/%s.lua", "lua/%s/init.lua" }) do
    if #vim.api.nvim_get_runtime_file(pattern:format(path), false) > 0 then
      return true
    end
  end
  return false
end

---@param name string
---@return boolean
local function is_usable(name)
  for _, known in ipairs(M.KNOWN) do
    if known.name == name then
      return exists(known.needs)
    end
  end
  return true
end

--- The picker that is used, by the option `picker` and what is installed.
---@return string
function M.chosen()
  local wanted = config.get().picker
  if wanted ~= "auto" then
    if is_usable(wanted) then
      return wanted
    end
    require("codeintel.notify").warn_once(wanted .. " is not installed; vim.ui.select is used")
    return "select"
  end
  for _, known in ipairs(M.KNOWN) do
    if is_usable(known.name) then
      return known.name
    end
  end
  return "select"
end

---@param source codeintel.Source
---@param picker? string
function M.show(source, picker)
  picker = picker or M.chosen()
  require("codeintel.highlight").ensure()
  require("codeintel.picker." .. picker:gsub("-", "_")).show(source)
end

--- Asks once, and calls back where there is something to show.
---@param source codeintel.Source
---@param callback fun(items: codeintel.Item[])
function M.once(source, callback)
  local problems = source.live and require("codeintel.filters").parse(source.query).problems or {}
  if #problems > 0 then
    return require("codeintel.notify").warn(
      problems[1] .. " is no such filter: :help codeintel-filters"
    )
  end
  source.ask(source.query, function(items)
    if #items == 0 then
      return require("codeintel.notify").info("nothing found")
    end
    callback(items)
  end, require("codeintel.notify").warn)
end

return M
