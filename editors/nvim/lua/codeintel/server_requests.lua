--- What the server tells and asks, and the commands of its code lenses and code actions.

local M = {}

---@param uri string
---@param params table
---@param ctx table
---@return table
local function show_document(uri, params, ctx)
  local revision = require("codeintel.revision")
  local place = revision.parse_uri(uri)
  if place then
    vim.schedule(function()
      revision.open(place, "edit")
    end)
    return { success = true }
  end
  return vim.lsp.handlers["window/showDocument"](nil, params, ctx)
end

---@return table<string, function>
function M.handlers()
  return {
    ["codeintel/status"] = function(_, status, ctx)
      require("codeintel.status").told(ctx.client_id, status)
    end,
    ["window/showDocument"] = function(_, params, ctx)
      return show_document(params.uri, params, ctx)
    end,
    -- HEAD moved, or a setting: what is shown of commits may be of the past.
    ["workspace/inlayHint/refresh"] = function(err, result, ctx)
      require("codeintel.blame.cache").outdated(ctx.client_id)
      local default = vim.lsp.handlers["workspace/inlayHint/refresh"]
      return default and default(err, result, ctx) or vim.NIL
    end,
    -- The stock handler echoes the text whole, which asks for ENTER where it is long.
    ["window/showMessage"] = function(_, params)
      local notify = require("codeintel.notify")
      local tell = params.type <= vim.lsp.protocol.MessageType.Warning and notify.warn
        or notify.info
      tell(params.message)
      return params
    end,
  }
end

---@return table<string, fun(command: lsp.Command, ctx: table)>
function M.commands()
  ---@param command lsp.Command
  ---@return table
  local function first(command)
    return command.arguments and command.arguments[1] or {}
  end
  return {
    ["codeintel.fileHistory"] = function(command)
      local given = first(command)
      require("codeintel.history").of_uri(given.uri, given.range)
    end,
    ["codeintel.findSimilar"] = function(command)
      local given = first(command)
      require("codeintel.search").similar_to(given.uri, given.range)
    end,
  }
end

return M
