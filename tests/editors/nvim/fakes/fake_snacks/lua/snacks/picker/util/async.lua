local M = {}

function M.running()
  local thread = coroutine.running()
  return {
    on = function() end,
    suspend = function()
      coroutine.yield()
    end,
    resume = function()
      coroutine.resume(thread)
    end,
  }
end

return M
