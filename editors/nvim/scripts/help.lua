--- Writes doc/codeintel.txt and lua/codeintel/types.lua from what the plugin itself says: the
--- options' schema, the subcommands, the highlight groups, the public functions' comments, and
--- scripts/help_template.txt for the prose. `--check` fails where the files are not that.
---     nvim -l scripts/help.lua [--check]

local root = vim.fs.dirname(vim.fs.dirname(vim.fs.abspath and vim.fs.abspath(arg[0]) or arg[0]))
vim.opt.rtp:prepend(root)
local WIDTH = 78

---@param path string
---@return string
local function read(path)
  local file = assert(io.open(root .. "/" .. path))
  local text = file:read("*a")
  file:close()
  return text
end

--- Fills lines up to the width; text in backticks and bars is not broken.
---@param text string
---@param indent integer
---@return string
local function filled(text, indent)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if line ~= "" and #line + 1 + #word > WIDTH - indent then
      table.insert(lines, line)
      line = word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  table.insert(lines, line)
  local pad = (" "):rep(indent)
  return pad .. table.concat(lines, "\n" .. pad)
end

--- A heading at the left and its tags at the right.
---@param left string
---@param tags string
---@return string
local function heading(left, tags)
  local gap = WIDTH - #left - #tags
  if gap < 1 then
    return (" "):rep(WIDTH - #tags) .. tags .. "\n" .. left
  end
  return left .. (" "):rep(gap) .. tags
end

---@param value any
---@return string
local function literal(value)
  return (vim.inspect(value, { newline = " ", indent = "" }):gsub("{ }", "{}"))
end

local function options()
  local parts = {}
  for _, option in ipairs(require("codeintel.config").schema) do
    table.insert(
      parts,
      heading(option.name, ("*codeintel.%s*"):format(option.name))
        .. "\n"
        .. filled(("`%s`"):format(option.type):gsub("|", " | "), 4)
        .. "\n"
        .. filled(("Default: `%s`"):format(literal(option.default)), 4)
        .. "\n"
        .. filled(option.doc, 4)
        .. "\n"
    )
  end
  return table.concat(parts, "\n")
end

local function subcommands()
  local parts = {}
  for _, one in ipairs(require("codeintel.command").subcommands) do
    local call = ":CodeIntel" .. " " .. one.name .. (one.bang and "[!]" or "")
    if one.arguments then
      call = call .. " " .. one.arguments
    end
    table.insert(
      parts,
      heading(call, ("*:CodeIntel-%s*"):format(one.name)) .. "\n" .. filled(one.doc, 4) .. "\n"
    )
  end
  return table.concat(parts, "\n")
end

local function groups()
  local highlight = require("codeintel.highlight")
  local lines = {}
  for _, group in ipairs(highlight.groups) do
    table.insert(lines, heading(group.name, ("*hl-%s*"):format(group.name)))
    table.insert(lines, filled(("Default: links to |hl-%s|."):format(group.link), 4))
    table.insert(lines, filled(group.doc, 4) .. "\n")
  end
  table.insert(
    lines,
    heading("CodeIntelHeat1 … " .. highlight.HEAT_STEPS, "  *hl-CodeIntelHeat*")
  )
  table.insert(lines, filled("Ages in the blame of a whole file, from new to old.", 4))
  return table.concat(lines, "\n")
end

--- The public functions, from the comments above them.
local function functions()
  local parts, comment = {}, {}
  for line in read("lua/codeintel/init.lua"):gmatch("[^\n]*") do
    local name, arguments = line:match("^function M%.([%w_]+)%((.*)%)")
    if name then
      local call = ('require("codeintel").%s(%s)'):format(name, arguments)
      local prose, rest = {}, {}
      for _, text in ipairs(comment) do
        local tag = text:match("^@%w+ (.*)")
        if tag then
          local kind = text:match("^@(%w+)")
          table.insert(
            rest,
            (kind == "return" and "Returns " or "") .. "`" .. tag:gsub(" ", "` ", 1)
          )
        else
          table.insert(prose, text)
        end
      end
      local block = heading(call, ("*codeintel.%s()*"):format(name)) .. "\n"
      block = block .. filled(table.concat(prose, " "), 4) .. "\n"
      for _, text in ipairs(rest) do
        block = block .. filled(text, 8) .. "\n"
      end
      table.insert(parts, block)
      comment = {}
    elseif line:match("^%-%-%-") then
      table.insert(comment, (line:gsub("^%-%-%- ?", "")))
    else
      comment = {}
    end
  end
  return table.concat(parts, "\n")
end

local function help()
  local text = read("scripts/help_template.txt")
  local sections = {
    options = options(),
    subcommands = subcommands(),
    highlights = groups(),
    functions = functions(),
  }
  return (
    text:gsub("{{(%w+)}}\n", function(name)
      return assert(sections[name], name):gsub("\n+$", "") .. "\n"
    end)
  )
end

--- `codeintel.Config` and what a person may give of it.
local function types()
  local lines = {
    "---@meta",
    "-- Written by scripts/help.lua from the schema in config.lua and from editors/protocol.md's words.",
    "",
    "---@class codeintel.Person",
    "---@field name string",
    "---@field email string",
    "---@field time integer Unix seconds, UTC.",
    "---@field offset integer Minutes east of UTC.",
    "",
    "---@class codeintel.Commit",
    "---@field id string",
    "---@field shortId string",
    "---@field author codeintel.Person",
    "---@field committer codeintel.Person",
    "---@field summary string",
    "---@field message string",
    "---@field parents string[]",
    "---@field url? string",
  }
  local order, fields = { "" }, { [""] = {} }
  for _, option in ipairs(require("codeintel.config").schema) do
    local group, name = option.name:match("^(.+)%.(.+)$")
    group, name = group or "", name or option.name
    if not fields[group] then
      fields[group] = {}
      table.insert(order, group)
      table.insert(fields[""], { name = group, group = true })
    end
    table.insert(fields[group], { name = name, option = option })
  end
  local function class(suffix, optional)
    for i = #order, 1, -1 do
      local group = order[i]
      local title = group:gsub("^%l", string.upper)
      table.insert(lines, "")
      table.insert(lines, ("---@class codeintel.%s%s"):format(title, suffix))
      for _, field in ipairs(fields[group]) do
        local type_ = field.group
            and ("codeintel.%s%s"):format(field.name:gsub("^%l", string.upper), suffix)
          or field.option.type
        local doc = field.option and " " .. field.option.doc:gsub("|", "") or ""
        table.insert(lines, ("---@field %s%s %s%s"):format(field.name, optional, type_, doc))
      end
    end
  end
  class("Config", "")
  class("Options", "?")
  return table.concat(lines, "\n") .. "\n"
end

local made = { ["doc/codeintel.txt"] = help(), ["lua/codeintel/types.lua"] = types() }
local wrong = 0
for path, text in vim.spairs(made) do
  local there = vim.uv.fs_stat(root .. "/" .. path) and read(path)
  if there ~= text then
    wrong = wrong + 1
    if arg[1] == "--check" then
      print(path .. " is not what scripts/help.lua writes: run it")
    else
      local file = assert(io.open(root .. "/" .. path, "w"))
      file:write(text)
      file:close()
      print("wrote " .. path)
    end
  end
end
os.exit(arg[1] == "--check" and wrong > 0 and 1 or 0)
