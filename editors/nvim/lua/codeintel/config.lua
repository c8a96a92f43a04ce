--- Every option, once: its type, its default, what it means, and whether a given value will do.
--- The help, the annotations in `types.lua` and `setup{}` all read `M.schema`.

local M = {}

---@class codeintel.Option
---@field name string Dotted path.
---@field type string LuaCATS type; `M.checks` knows how each is checked.
---@field default any
---@field doc string

---@type codeintel.Option[]
M.schema = {
  {
    name = "cmd",
    type = "string[]",
    default = { "codeintel-ls", "connect" },
    doc = "How the server is started: a program and its arguments.",
  },
  {
    name = "cmd_env",
    type = "table<string, string>",
    default = {},
    doc = "More environment for the server.",
  },
  {
    name = "autostart",
    type = "boolean",
    default = true,
    doc = "Start the server when a file of a workspace is opened. Without, only commands do.",
  },
  {
    name = "root_markers",
    type = "string[]",
    default = { ".git", ".codeintel.toml" },
    doc = "What a workspace's root holds. The nearest directory above a file that has one is its root.",
  },
  {
    name = "root_dir",
    type = "(fun(bufnr: integer): string?)?",
    default = nil,
    doc = "Finds the root instead of `root_markers`; nil means that the file has none.",
  },
  {
    name = "settings",
    type = "table<string, any>",
    default = {},
    doc = "The server's settings (`codeintel-ls config --schema` lists them), "
      .. 'such as `{ search = { limit = 30 }, index = { exclude = { "vendor/" } } }`.',
  },
  {
    name = "hover",
    type = "boolean",
    default = false,
    doc = "Let |vim.lsp.buf.hover()| show the commit of a line. Off, so that |K| keeps its meaning "
      .. "in files that no other server serves.",
  },
  {
    name = "max_file_size",
    type = "integer",
    default = 10 * 1024 * 1024,
    doc = "Larger files, in bytes, are left alone.",
  },
  {
    name = "picker",
    type = '"auto"|"snacks"|"telescope"|"fzf-lua"|"select"|"quickfix"',
    default = "auto",
    doc = "Where results are shown. `auto` takes the first that is installed of snacks, telescope "
      .. "and fzf-lua, and |vim.ui.select()| otherwise.",
  },
  {
    name = "search.debounce",
    type = "integer",
    default = 80,
    doc = "Milliseconds without a key before a live picker asks.",
  },
  {
    name = "search.limit",
    type = "integer",
    default = 50,
    doc = "Results of one question, at most 200.",
  },
  {
    name = "history.limit",
    type = "integer",
    default = 200,
    doc = "Commits of one page of a history, at most 1000. The last entry asks for more.",
  },
  {
    name = "blame.enabled",
    type = "boolean",
    default = false,
    doc = "Show the commit of the cursor's line at its end. `:CodeIntel blame` toggles it.",
  },
  {
    name = "blame.delay",
    type = "integer",
    default = 30,
    doc = "Milliseconds of rest before lines that are not known yet are asked for.",
  },
  {
    name = "blame.format",
    type = "string|fun(commit: codeintel.Commit): string",
    default = "{author}, {date} · {summary}",
    doc = "What is shown: `{author}`, `{email}`, `{date}`, `{summary}`, `{id}`; `{{` stands for a "
      .. "brace. Or a function.",
  },
  {
    name = "blame.format_uncommitted",
    type = "string",
    default = "Not committed yet",
    doc = "What is shown of a line that has no commit; empty: nothing.",
  },
  {
    name = "blame.date",
    type = "string",
    default = "relative",
    doc = "`relative`, or a format of |strftime()| such as `%Y-%m-%d`.",
  },
  {
    name = "blame.position",
    type = '"eol"|"right_align"|"eol_right_align"',
    default = "eol",
    doc = "Where the text stands: `virt_text_pos` of |nvim_buf_set_extmark()|. "
      .. "`eol_right_align` needs Neovim 0.11.",
  },
  {
    name = "blame.priority",
    type = "integer",
    default = 100,
    doc = "Priority of the text among those at the end of a line.",
  },
  {
    name = "blame.insert",
    type = "boolean",
    default = true,
    doc = "Show it in insert mode, too.",
  },
  {
    name = "blame.max_lines",
    type = "integer",
    default = 100000,
    doc = "Longer buffers show no blame.",
  },
  {
    name = "blame.ignored_filetypes",
    type = "string[]",
    default = {},
    doc = "File types that show no blame.",
  },
}

local function list_of_strings(value)
  if type(value) ~= "table" or not vim.islist(value) then
    return false
  end
  return vim.iter(value):all(function(one)
    return type(one) == "string"
  end)
end

--- Whether a value is of a type of the schema. Choices (`"a"|"b"`) are read from the type itself.
---@type table<string, fun(value: any): boolean>
M.checks = {
  ["string"] = function(value)
    return type(value) == "string"
  end,
  ["boolean"] = function(value)
    return type(value) == "boolean"
  end,
  ["integer"] = function(value)
    return type(value) == "number" and value >= 0 and value % 1 == 0
  end,
  ["string[]"] = list_of_strings,
  ["table<string, any>"] = function(value)
    return type(value) == "table" and (vim.tbl_isempty(value) or not vim.islist(value))
  end,
  ["table<string, string>"] = function(value)
    return type(value) == "table"
      and vim.iter(value):all(function(key, one)
        return type(key) == "string" and type(one) == "string"
      end)
  end,
  ["(fun(bufnr: integer): string?)?"] = function(value)
    return type(value) == "function"
  end,
  ["string|fun(commit: codeintel.Commit): string"] = function(value)
    return type(value) == "string" or type(value) == "function"
  end,
}

---@param option codeintel.Option
---@param value any
---@return boolean
local function fits(option, value)
  local check = M.checks[option.type]
  if check then
    return check(value)
  end
  return vim.tbl_contains(vim.split(option.type, "|"), ('"%s"'):format(tostring(value)))
end

--- The type in words that a person who wrote a wrong value can use.
---@param option codeintel.Option
---@return string
local function wanted(option)
  local words = {
    ["string[]"] = "a list of strings",
    ["integer"] = "a whole number, 0 or more",
    ["boolean"] = "true or false",
    ["string"] = "a string",
    ["table<string, any>"] = "a table of names and values",
    ["table<string, string>"] = "a table of names and strings",
    ["(fun(bufnr: integer): string?)?"] = "a function",
    ["string|fun(commit: codeintel.Commit): string"] = "a string or a function",
  }
  return words[option.type] or "one of " .. option.type:gsub("|", ", ")
end

---@param tree table
---@param name string
---@return any
local function at(tree, name)
  return vim.tbl_get(tree, unpack(vim.split(name, ".", { plain = true })))
end

---@param tree table
---@param name string
---@param value any
local function put(tree, name, value)
  local parts = vim.split(name, ".", { plain = true })
  for i = 1, #parts - 1 do
    tree[parts[i]] = tree[parts[i]] or {}
    tree = tree[parts[i]]
  end
  tree[parts[#parts]] = value
end

---@return codeintel.Config
function M.defaults()
  local tree = {}
  for _, option in ipairs(M.schema) do
    put(tree, option.name, vim.deepcopy(option.default))
  end
  return tree
end

--- Names of options and of their groups.
---@return table<string, "option"|"group">
local function known_names()
  local names = {}
  for _, option in ipairs(M.schema) do
    names[option.name] = "option"
    local group = option.name:match("^(.+)%.")
    if group then
      names[group] = "group"
    end
  end
  return names
end

---@param name string
---@param names table<string, string>
---@return string
local function unknown(name, names)
  local near, distance = nil, math.huge
  for candidate in pairs(names) do
    local shared = 0
    while
      shared < math.min(#candidate, #name)
      and candidate:byte(shared + 1) == name:byte(shared + 1)
    do
      shared = shared + 1
    end
    local apart = math.max(#candidate, #name) - shared
    if apart < distance or (apart == distance and candidate < near) then
      near, distance = candidate, apart
    end
  end
  local hint = near and distance <= math.max(3, #name / 2) and (' Did you mean "%s"?'):format(near)
  return ('"%s" is no option.%s'):format(name, hint or "")
end

--- What comes of the options given: the whole configuration, and a sentence for each that is
--- wrong, in whose place the default stands.
---@param given table
---@return codeintel.Config, string[]
function M.resolve(given)
  local config, problems, names = M.defaults(), {}, known_names()
  if type(given) ~= "table" then
    return config, { "setup() takes a table of options." }
  end
  local function look(tree, prefix)
    for key in vim.spairs(tree) do
      local name = prefix .. tostring(key)
      if names[name] == "group" and type(tree[key]) == "table" then
        look(tree[key], name .. ".")
      elseif names[name] == "group" then
        table.insert(problems, ('"%s" must be a table of options.'):format(name))
      elseif not names[name] then
        table.insert(problems, unknown(name, names))
      end
    end
  end
  look(given, "")
  for _, option in ipairs(M.schema) do
    local ok, value = pcall(at, given, option.name)
    if ok and value ~= nil then
      if fits(option, value) then
        put(config, option.name, value)
      else
        table.insert(
          problems,
          ('"%s" must be %s, not %s.'):format(
            option.name,
            wanted(option),
            vim.inspect(value, { newline = " ", indent = "" })
          )
        )
      end
    end
  end
  if #config.cmd == 0 then
    table.insert(problems, '"cmd" must name a program.')
    config.cmd = M.defaults().cmd
  end
  return config, problems
end

---@type codeintel.Config?
local current
---@type string[]
M.problems = {}

--- What holds now.
---@return codeintel.Config
function M.get()
  current = current or M.defaults()
  return current
end

--- Takes over what a person chose. Wrong options are told and left at their defaults.
---@param given? codeintel.Options
function M.set(given)
  current, M.problems = M.resolve(given or {})
  if #M.problems > 0 then
    local more = #M.problems > 1
      and (" (and %d more: :checkhealth codeintel)"):format(#M.problems - 1)
    require("codeintel.notify").warn("setup: " .. M.problems[1] .. (more or ""))
  end
end

return M
