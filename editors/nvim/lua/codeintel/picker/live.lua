--- Questions of somebody who is typing: asked after a moment's rest, and a newer one ends the
--- older one, here and in the server.

local config = require("codeintel.config")

local M = {}

---@class codeintel.Live
---@field ask fun(query: string, answered: fun(items: codeintel.Item[]))
---@field close fun()

---@param source codeintel.Source
---@return codeintel.Live
function M.new(source)
  local timer = assert(vim.uv.new_timer())
  ---@type codeintel.Call?
  local call
  local number = 0
  local first = true
  local live = {}

  local function stop()
    timer:stop()
    if call then
      call.cancel()
      call = nil
    end
  end

  function live.ask(query, answered)
    stop()
    number = number + 1
    local mine = number
    local function answer(items)
      if mine == number then
        answered(items)
      end
    end
    local rest = first and 0 or config.get().search.debounce
    first = false
    timer:start(
      rest,
      0,
      vim.schedule_wrap(function()
        if mine == number then
          -- A query that is not right yet, as while typing a date, finds nothing.
          call = source.ask(query, answer, function()
            answer({})
          end)
        end
      end)
    )
  end

  function live.close()
    number = number + 1
    stop()
    if not timer:is_closing() then
      timer:close()
    end
  end

  return live
end

return M
