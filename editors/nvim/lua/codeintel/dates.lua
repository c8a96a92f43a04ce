--- Times as people read them. Pure.

local M = {}

local UNITS = {
  { seconds = 365 * 86400, name = "year", short = "y" },
  { seconds = 30 * 86400, name = "month", short = "mo" },
  { seconds = 7 * 86400, name = "week", short = "w" },
  { seconds = 86400, name = "day", short = "d" },
  { seconds = 3600, name = "hour", short = "h" },
  { seconds = 60, name = "minute", short = "min" },
}

--- `3 weeks ago`
---@param time integer Unix seconds.
---@param now integer
---@return string
function M.relative(time, now)
  local age = now - time
  for _, unit in ipairs(UNITS) do
    local count = math.floor(age / unit.seconds)
    if count >= 1 then
      return ("%d %s%s ago"):format(count, unit.name, count > 1 and "s" or "")
    end
  end
  return age < -60 and "in the future" or "just now"
end

--- `3w`
---@param time integer
---@param now integer
---@return string
function M.short(time, now)
  for _, unit in ipairs(UNITS) do
    local count = math.floor((now - time) / unit.seconds)
    if count >= 1 then
      return count .. unit.short
    end
  end
  return "now"
end

--- The author's own wall clock: `2026-01-31 18:30 +0200`.
---@param time integer
---@param offset integer Minutes east of UTC.
---@return string
function M.full(time, offset)
  local sign = offset < 0 and "-" or "+"
  local minutes = math.abs(offset)
  return os.date("!%Y-%m-%d %H:%M ", time + offset * 60)
    .. ("%s%02d%02d"):format(sign, math.floor(minutes / 60), minutes % 60)
end

--- By the option `blame.date`.
---@param time integer
---@param offset integer
---@param format string
---@param now integer
---@return string
function M.format(time, offset, format, now)
  if format == "relative" then
    return M.relative(time, now)
  end
  return tostring(os.date("!" .. format, time + offset * 60))
end

return M
