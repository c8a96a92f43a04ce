--- What a person types into a search box becomes the parameters of a question. Pure.
---
---     lang:py path:src/** -path:*_test.py author:ann since:2w until:2026-01-31 "exact phrase" words
---
--- `editors/search_filters.json` holds cases that every editor's parser is tested with.

local M = {}

---@class codeintel.Filters
---@field query string The words and phrases, without the filters.
---@field quoted string The same, phrases in quotes, as the server puts them first.
---@field languages string[]
---@field globs string[]
---@field author? string
---@field since? string
---@field until_? string
---@field mode? "hybrid"|"semantic"|"lexical"
---@field phrases string[] What the text of a hit must hold.
---@field problems string[] Filters that are wrong, or not finished; the rest holds.

--- What people call languages, where the server's ids are others.
local LANGUAGES = {
  bash = "shellscript",
  ["c++"] = "cpp",
  ["c#"] = "csharp",
  cc = "cpp",
  clj = "clojure",
  cs = "csharp",
  cu = "cuda-cpp",
  cuda = "cuda-cpp",
  cxx = "cpp",
  docker = "dockerfile",
  el = "lisp",
  erl = "erlang",
  ex = "elixir",
  ["f#"] = "fsharp",
  fs = "fsharp",
  golang = "go",
  gql = "graphql",
  h = "c",
  hpp = "cpp",
  hs = "haskell",
  htm = "html",
  jl = "julia",
  js = "javascript javascriptreact",
  javascript = "javascript javascriptreact",
  json = "json jsonc jsonl",
  jsx = "javascriptreact",
  kt = "kotlin",
  make = "makefile",
  md = "markdown",
  ml = "ocaml",
  mm = "objective-cpp",
  objc = "objective-c",
  pl = "perl",
  proto = "proto3",
  protobuf = "proto3",
  ps1 = "powershell",
  py = "python",
  raku = "perl6",
  rb = "ruby",
  rs = "rust",
  rst = "restructuredtext",
  sh = "shellscript",
  shell = "shellscript",
  sol = "solidity",
  sv = "systemverilog",
  tex = "latex",
  text = "plaintext",
  tf = "terraform",
  ts = "typescript typescriptreact",
  tsx = "typescriptreact",
  txt = "plaintext",
  typescript = "typescript typescriptreact",
  vim = "viml",
  yml = "yaml",
  zsh = "shellscript",
}

local NAMES = {
  lang = "lang",
  language = "lang",
  path = "path",
  file = "path",
  author = "author",
  since = "since",
  after = "since",
  ["until"] = "until_",
  before = "until_",
  mode = "mode",
}

local MODES = { hybrid = true, semantic = true, lexical = true }
local UNITS = { h = true, d = true, w = true, mo = true, y = true }

--- Whether the server will take it for a date: an age, or a date of ISO 8601.
---@param value string
---@return boolean
local function is_date(value)
  local digits, unit = value:match("^(%d+)(%a+)$")
  if digits then
    return #digits <= 6 and UNITS[unit:lower()] == true
  end
  local rest = value:match("^%d%d%d%d%-%d%d%-%d%d(.*)$")
  if not rest or rest == "" then
    return rest ~= nil
  end
  local zone = rest:match("^T%d%d:%d%d(.*)$")
  zone = zone and zone:gsub("^:%d%d", "")
  return zone ~= nil and (zone == "" or zone == "Z" or zone:match("^[+-]%d%d:%d%d$") ~= nil)
end

--- The text in quotes from a place on, and the place behind it. A quote that is never closed lasts
--- to the end, as while typing.
---@param text string
---@param start integer The opening quote.
---@return string, integer
local function in_quotes(text, start)
  local value, i = {}, start + 1
  while i <= #text do
    local char = text:sub(i, i)
    if char == "\\" and i < #text then
      i = i + 1
      char = text:sub(i, i)
    elseif char == '"' then
      return table.concat(value), i + 1
    end
    table.insert(value, char)
    i = i + 1
  end
  return table.concat(value), i
end

---@param filters codeintel.Filters
---@param name string
---@param value string
---@param excluded boolean
local function take(filters, name, value, excluded)
  if name == "lang" then
    for one in vim.gsplit(value:lower(), ",", { trimempty = true }) do
      for id in vim.gsplit(LANGUAGES[one] or one, " ") do
        if not vim.tbl_contains(filters.languages, id) then
          table.insert(filters.languages, id)
        end
      end
    end
  elseif name == "path" then
    table.insert(filters.globs, (excluded and "!" or "") .. value)
  elseif name == "mode" and not MODES[value] then
    table.insert(filters.problems, "mode:" .. value)
  elseif (name == "since" or name == "until_") and not is_date(value) then
    table.insert(filters.problems, (name:gsub("_", "")) .. ":" .. value)
  else
    filters[name] = value
  end
end

---@param text string
---@return codeintel.Filters
function M.parse(text)
  ---@type codeintel.Filters
  local filters =
    { query = "", quoted = "", languages = {}, globs = {}, phrases = {}, problems = {} }
  local words, quoted, i = {}, {}, 1
  while true do
    i = text:find("%S", i)
    if not i then
      break
    end
    local minus, key, behind = text:match("^(%-?)(%a+):()", i)
    local name = key and NAMES[key:lower()]
    if name and (minus == "" or name == "path") then
      local value
      if text:sub(behind, behind) == '"' then
        value, i = in_quotes(text, behind)
      else
        value, i = text:match("^(%S*)()", behind)
      end
      if value ~= "" then -- Otherwise it is still being typed.
        take(filters, name, value, minus == "-")
      end
    elseif text:sub(i, i) == '"' then
      local phrase
      phrase, i = in_quotes(text, i)
      if vim.trim(phrase) ~= "" then
        table.insert(filters.phrases, phrase)
        table.insert(words, phrase)
        -- The server's quotes know no backslash, and pair up with any other.
        local bare = phrase:gsub('"', " ")
        table.insert(quoted, bare == phrase and '"' .. phrase .. '"' or bare)
      end
    else
      local word
      word, i = text:match("^(%S+)()", i)
      table.insert(words, word)
      table.insert(quoted, (word:gsub('"', " ")))
    end
  end
  filters.query, filters.quoted = table.concat(words, " "), table.concat(quoted, " ")
  return filters
end

--- The parameters of `semanticSearch`. Phrases are looked for in the snippets of the answer,
--- which therefore must be whole.
---@param filters codeintel.Filters
---@param limit integer
---@return table
function M.search_params(filters, limit)
  local exact = #filters.phrases > 0
  local only_phrases = exact and table.concat(filters.phrases, " ") == filters.query
  return {
    query = filters.quoted,
    mode = filters.mode or (only_phrases and "lexical" or nil),
    limit = exact and 200 or limit,
    languages = #filters.languages > 0 and filters.languages or nil,
    globs = #filters.globs > 0 and filters.globs or nil,
    author = filters.author,
    changedSince = filters.since,
    changedBefore = filters.until_,
    snippetLines = exact and 200 or nil,
  }
end

--- The parameters of `searchHistory`, which knows no languages.
---@param filters codeintel.Filters
---@param limit integer
---@return table
function M.history_params(filters, limit)
  return {
    query = filters.query,
    limit = limit,
    author = filters.author,
    since = filters.since,
    before = filters.until_,
    paths = #filters.globs > 0 and filters.globs or nil,
  }
end

--- Where a text holds a phrase: its spaces may be any white space, a line's end, too, and only a
--- capital letter is meant as one.
---@param text string
---@param phrase string
---@return integer?
local function find_phrase(text, phrase)
  if phrase == phrase:lower() then
    text = text:lower()
  end
  local words = vim.tbl_map(vim.pesc, vim.split(vim.trim(phrase), "%s+"))
  return (text:find(table.concat(words, "%s+")))
end

--- The line, 0-based, of the first phrase in a text that holds every phrase.
---@param filters codeintel.Filters
---@param text string
---@return integer?
function M.line_of_phrases(filters, text)
  local first
  for _, phrase in ipairs(filters.phrases) do
    local at = find_phrase(text, phrase)
    if not at then
      return nil
    end
    first = first or at
  end
  local _, breaks = text:sub(1, (first or 1) - 1):gsub("\n", "")
  return breaks
end

return M
