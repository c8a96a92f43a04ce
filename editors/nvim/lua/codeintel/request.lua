--- Asks the server, so that every question ends once: answered, failed or cancelled.

local notify = require("codeintel.notify")

local M = {}

local CANCELLED = { [-32800] = true, [-32802] = true }
local CONTENT_MODIFIED = -32801

---@class codeintel.Call
---@field cancel fun() Stops the work; nothing is called back then.
---@field done boolean

--- Neovim 0.10 has functions where 0.11 has methods.
---@param client vim.lsp.Client
---@param name string
---@return any ...
function M.invoke(client, name, ...)
  if vim.fn.has("nvim-0.11") == 1 then
    return client[name](client, ...)
  end
  return client[name](...)
end

---@class codeintel.Ask
---@field bufnr? integer The buffer whose latest text the server must know of.
---@field quiet? boolean A failure is not told to the person.
---@field failed? fun(message: string, gone: boolean) `gone`: the server ended meanwhile.

--- Questions that are under way, by client.
---@type table<integer, table<codeintel.Call, fun(message: string, gone: boolean)>>
local open = {}

---@param client vim.lsp.Client
---@param method string
---@param params table
---@param answered fun(result: any)
---@param ask? codeintel.Ask
---@return codeintel.Call
function M.raw(client, method, params, answered, ask)
  ask = ask or {}
  ---@type codeintel.Call
  local call = { done = false, cancel = function() end }
  local again = true

  local function finish()
    call.done = true
    if open[client.id] then
      open[client.id][call] = nil
    end
  end
  local function fail(message, gone)
    finish()
    if not ask.quiet then
      notify.warn(message)
    end
    if ask.failed then
      ask.failed(message, gone)
    end
  end

  local function send()
    local ok, id = M.invoke(client, "request", method, params, function(err, result)
      if call.done then
        return
      end
      if err and err.code == CONTENT_MODIFIED and again then
        -- The shared server ended meanwhile; another one is there by now.
        again = false
        send()
      elseif err and CANCELLED[err.code] then
        finish()
      elseif err then
        fail(err.message, false)
      else
        finish()
        answered(result)
      end
    end, ask.bufnr)
    if not ok then
      fail("the server has stopped; :CodeIntel restart starts it again", true)
      return
    end
    call.cancel = function()
      if not call.done then
        finish()
        M.invoke(client, "cancel_request", id)
      end
    end
  end

  open[client.id] = open[client.id] or {}
  open[client.id][call] = fail
  send()
  return call
end

--- An operation of the protocol.
---@param client vim.lsp.Client
---@param operation string Such as `semanticSearch`.
---@param params table
---@param answered fun(result: any)
---@param ask? codeintel.Ask
---@return codeintel.Call
function M.send(client, operation, params, answered, ask)
  if vim.tbl_isempty(params) then
    params = vim.empty_dict()
  end
  return M.raw(client, "codeintel/" .. operation, params, answered, ask)
end

--- The client has ended: nobody will answer what it was asked.
---@param client_id integer
function M.abandon(client_id)
  local calls = open[client_id] or {}
  open[client_id] = nil
  for call, fail in pairs(calls) do
    if not call.done then
      fail("the server ended before it answered; try again", true)
    end
  end
end

return M
