--- `{author}, {date} · {summary}` becomes the words of a commit. Pure.

local dates = require("codeintel.dates")

local M = {}

local LONGEST_SUMMARY = 72

---@param summary string
---@return string
local function cut(summary)
  if vim.fn.strchars(summary) <= LONGEST_SUMMARY then
    return summary
  end
  return vim.fn.strcharpart(summary, 0, LONGEST_SUMMARY - 1) .. "…"
end

---@param commit codeintel.Commit
---@param format string|fun(commit: codeintel.Commit): string
---@param date_format string
---@param now integer
---@return string
function M.render(commit, format, date_format, now)
  if type(format) == "function" then
    local ok, text = pcall(format, commit)
    if ok and type(text) == "string" then
      return (text:gsub("%s+", " "))
    end
    return "blame.format: " .. (ok and "the function returned no string" or tostring(text))
  end
  local words = {
    author = commit.author.name,
    email = commit.author.email,
    date = dates.format(commit.author.time, commit.author.offset, date_format, now),
    summary = cut(commit.summary),
    id = commit.shortId,
  }
  local text = format:gsub("{(.)([^{}]*)(}?)", function(first, rest, close)
    if first == "{" then
      return "{" .. rest .. close
    end
    local name = first .. rest
    -- What is no name stays as it is, so that a typing error is seen.
    return words[name] and close == "}" and words[name] or nil
  end)
  return (text:gsub("%s+", " "))
end

return M
