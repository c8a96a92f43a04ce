--- What a person types into a search box becomes the parameters of a question. Pure.
---
---     lang:py path:src/** -path:*_test.py author:ann since:2w until:2026-01-31 "exact phrase" words
---
--- `editors/search_filters.json` holds cases that every editor's parser is tested with.

local M = {}

---@class codeintel.Filters
---@field query string The words and phrases, without the filters.
---@field languages string[]
---@field globs string[]
---@field author? string
---@field since? string
---@field until_? string
---@field phrases string[] What the text of a hit must hold, in any case.

--- Short names that people use, where a language's id is another.
local LANGUAGES = {
  ["c++"] = "cpp",
  cc = "cpp",
  cs = "csharp",
  ["c#"] = "csharp",
  ex = "elixir",
  h = "c",
  hs = "haskell",
  js = "javascript",
  jsx = "javascriptreact",
  kt = "kotlin",
  make = "makefile",
  md = "markdown",
  objc = "objective-c",
  pl = "perl",
  ps1 = "powershell",
  py = "python",
  rb = "ruby",
  rs = "rust",
  bash = "shellscript",
  sh = "shellscript",
  shell = "shellscript",
  tex = "latex",
  ts = "typescript",
  tsx = "typescriptreact",
  vim = "viml",
  yml = "yaml",
}

local KEYS = { lang = true, path = true, author = true, since = true, ["until"] = true }

--- One word of the text: `key:value`, `-path:value`, `"a phrase"` or anything else. Quotes keep
--- spaces together, in a value, too; one that is never closed lasts to the end, as while typing.
---@param text string
---@param start integer
---@return string word, integer after, boolean quoted
local function next_word(text, start)
  local word, i, quoted, begins_quoted = {}, start, false, text:sub(start, start) == '"'
  while i <= #text do
    local char = text:sub(i, i)
    if char == '"' and (quoted or i == start or text:sub(i - 1, i - 1) == ":") then
      quoted = not quoted
      if not quoted then
        return table.concat(word), i + 1, begins_quoted
      end
    elseif char:match("%s") and not quoted then
      break
    else
      table.insert(word, char)
    end
    i = i + 1
  end
  return table.concat(word), i, begins_quoted
end

---@param filters codeintel.Filters
---@param key string
---@param value string
---@param excluded boolean
local function take(filters, key, value, excluded)
  if value == "" then
    return -- Still being typed.
  end
  if key == "lang" then
    for one in vim.gsplit(value:lower(), ",", { trimempty = true }) do
      table.insert(filters.languages, LANGUAGES[one] or one)
    end
  elseif key == "path" then
    table.insert(filters.globs, (excluded and "!" or "") .. value)
  elseif key == "until" then
    filters.until_ = value
  else
    filters[key] = value
  end
end

---@param text string
---@return codeintel.Filters
function M.parse(text)
  ---@type codeintel.Filters
  local filters = { query = "", languages = {}, globs = {}, phrases = {} }
  local words, i = {}, 1
  while i <= #text do
    if text:sub(i, i):match("%s") then
      i = i + 1
    else
      local word, after, quoted = next_word(text, i)
      local minus, key, value = word:match("^(%-?)(%l+):(.*)$")
      if quoted then
        if vim.trim(word) ~= "" then
          table.insert(filters.phrases, word)
          table.insert(words, word)
        end
      elseif key and KEYS[key] and (minus == "" or key == "path") then
        take(filters, key, value, minus == "-")
      else
        table.insert(words, word)
      end
      i = after
    end
  end
  filters.query = table.concat(words, " ")
  return filters
end

--- The parameters of `semanticSearch`. Phrases are looked for in the snippets of the answer,
--- which therefore must be whole.
---@param filters codeintel.Filters
---@param limit integer
---@return table
function M.search_params(filters, limit)
  local exact = #filters.phrases > 0
  return {
    query = filters.query,
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

--- Whether a text holds every phrase.
---@param filters codeintel.Filters
---@param text string
---@return boolean
function M.holds(filters, text)
  local folded = text:lower()
  return vim.iter(filters.phrases):all(function(phrase)
    return folded:find(phrase:lower(), 1, true) ~= nil
  end)
end

return M
