--- One client for each root, shared by its buffers: found, started, and started again.

local config = require("codeintel.config")
local notify = require("codeintel.notify")
local request = require("codeintel.request")

local M = {}

M.NAME = "codeintel"

--- So many times in a minute it is started again by itself.
local MOST_RESTARTS = 4
local WINDOW_SECONDS = 60

---@class codeintel.ClientState
---@field id? integer
---@field root string
---@field ready boolean
---@field waiting (fun(client: vim.lsp.Client))[] Called when it is ready.
---@field stopping boolean Somebody asked for its end.

---@type table<integer, codeintel.ClientState>
local states = {}
---@type string? The root that was last attached to or asked.
local last_root
---@type table<string, number[]> When each root's client was started again.
local restarts = {}

--- Why a buffer is not served, in words; nil where it is, or could be.
---@param bufnr integer
---@return string?
function M.refusal(bufnr)
  local name = vim.api.nvim_buf_get_name(bufnr)
  if vim.bo[bufnr].buftype ~= "" or name == "" or name:match("^%a[%w+.-]*://") then
    return "this buffer is no file"
  end
  if not M.root_of(bufnr) then
    return "this file is in no repository"
  end
  local stat = vim.uv.fs_stat(name)
  if stat and stat.size > config.get().max_file_size then
    return "this file is larger than max_file_size"
  end
end

---@param bufnr integer
---@return string?
function M.root_of(bufnr)
  local options = config.get()
  if options.root_dir then
    local ok, root = pcall(options.root_dir, bufnr)
    if not ok then
      notify.warn_once("root_dir: " .. tostring(root))
    end
    return ok and root or nil
  end
  return vim.fs.root(bufnr, options.root_markers)
end

--- The root of the folder one stands in, for buffers that are no file.
---@return string?
local function root_of_cwd()
  return vim.fs.root(vim.uv.cwd() or ".", config.get().root_markers)
end

---@param state codeintel.ClientState
---@param code integer
---@param signal integer
local function ended(state, code, signal)
  if state.id then
    states[state.id] = nil
    request.abandon(state.id)
    require("codeintel.status").forget(state.id)
  end
  if state.stopping or vim.v.exiting ~= vim.NIL then
    return
  end
  local now = vim.uv.now() / 1000
  local recent = vim.tbl_filter(function(time)
    return now - time < WINDOW_SECONDS
  end, restarts[state.root] or {})
  restarts[state.root] = recent
  if not state.ready and code ~= 0 then
    notify.warn(("the server did not start (exit code %d): :checkhealth codeintel"):format(code))
  elseif #recent >= MOST_RESTARTS then
    notify.warn("the server ended again and again: :CodeIntel log, :CodeIntel restart")
  else
    table.insert(recent, now)
    -- Quietly: a person has nothing to do about it.
    vim.lsp.log.warn("codeintel", "server ended", code, signal, "starting it again")
    vim.defer_fn(function()
      M.attach_all(state.root)
    end, 200 * 2 ^ (#recent - 1))
  end
end

--- Neovim warns of every end with a message longer than a line; what is said is said here.
---@param command string[]
---@param state codeintel.ClientState
local function spawner(command, state)
  return function(dispatchers)
    local quiet = vim.tbl_extend("force", dispatchers, {
      on_exit = function(code, signal)
        dispatchers.on_exit(0, 0)
        vim.schedule(function()
          ended(state, code, signal)
        end)
      end,
    })
    return vim.lsp.rpc.start(command, quiet, { cwd = state.root, env = config.get().cmd_env })
  end
end

---@param state codeintel.ClientState
---@return vim.lsp.ClientConfig
local function lsp_config(state)
  local options, root = config.get(), state.root
  local settings = vim.deepcopy(options.settings)
  return {
    name = M.NAME,
    cmd = spawner(options.cmd, state),
    handlers = require("codeintel.server_requests").handlers(),
    root_dir = root,
    workspace_folders = {
      { uri = vim.uri_from_fname(root), name = vim.fs.basename(root) },
    },
    init_options = vim.tbl_isempty(settings) and vim.empty_dict() or settings,
    settings = { codeintel = vim.tbl_isempty(settings) and vim.empty_dict() or settings },
    commands = require("codeintel.server_requests").commands(),
    on_init = function(client)
      if not config.get().hover then
        client.server_capabilities.hoverProvider = nil
      end
      state.ready = true
      local waiting = state.waiting
      state.waiting = {}
      for _, callback in ipairs(waiting) do
        callback(client)
      end
    end,
  }
end

---@param root string
---@param bufnr? integer Attached to it, if given.
---@param asked? boolean By a person, who is told again what is missing.
---@return integer? client_id
local function start(root, bufnr, asked)
  local command = config.get().cmd
  if vim.fn.executable(command[1]) == 0 then
    local tell = asked and notify.warn or notify.warn_once
    tell(("%s was not found: :checkhealth codeintel"):format(vim.fs.basename(command[1])))
    return nil
  end
  last_root = root
  for id, state in pairs(states) do
    if state.root == root and not state.stopping then
      if bufnr then
        vim.lsp.buf_attach_client(bufnr, id)
      end
      return id
    end
  end
  ---@type codeintel.ClientState
  local state = { root = root, ready = false, waiting = {}, stopping = false }
  ---@type integer?
  local id
  if bufnr or vim.fn.has("nvim-0.11") == 1 then
    id = vim.lsp.start(lsp_config(state), {
      bufnr = bufnr,
      attach = bufnr ~= nil,
      reuse_client = function()
        return false -- Looked for above.
      end,
    })
  else
    ---@diagnostic disable-next-line: deprecated
    id = vim.lsp.start_client(lsp_config(state))
  end
  if id then
    state.id = id
    states[id] = state
  end
  return id
end

--- Serves a buffer from now on, if it is one to be served.
---@param bufnr integer
---@param asked? boolean
---@return integer? client_id
function M.attach(bufnr, asked)
  if not vim.api.nvim_buf_is_loaded(bufnr) or M.refusal(bufnr) then
    return nil
  end
  local root = assert(M.root_of(bufnr))
  return start(root, bufnr, asked)
end

--- Serves every loaded buffer of a root, as after a crash.
---@param root string
function M.attach_all(root)
  for _, bufnr in ipairs(vim.api.nvim_list_bufs()) do
    if
      vim.api.nvim_buf_is_loaded(bufnr)
      and vim.bo[bufnr].buftype == ""
      and M.root_of(bufnr) == root
    then
      M.attach(bufnr)
    end
  end
end

--- The client that serves a buffer and is ready; nil while there is none.
---@param bufnr integer
---@return vim.lsp.Client?
function M.of(bufnr)
  for _, client in ipairs(vim.lsp.get_clients({ bufnr = bufnr, name = M.NAME })) do
    local state = states[client.id]
    if state and state.ready and not state.stopping then
      return client
    end
  end
end

---@param id? integer
---@param callback fun(client: vim.lsp.Client)
local function when_ready(id, callback)
  local state = id and states[id]
  local client = id and vim.lsp.get_client_by_id(id)
  if state and state.ready and client then
    callback(client)
  elseif state then
    table.insert(state.waiting, callback)
  end
end

--- Calls back with the client of a file's buffer, started if need be; says why where there is none.
---@param bufnr integer
---@param callback fun(client: vim.lsp.Client)
function M.with_file(bufnr, callback)
  local client = M.of(bufnr)
  if client then
    last_root = client.root_dir
    return callback(client)
  end
  local refusal = M.refusal(bufnr)
  if refusal then
    return notify.info(refusal)
  end
  when_ready(M.attach(bufnr, true), callback)
end

--- Calls back with the client of the workspace that one is in: the buffer's; beside a list or a
--- terminal that of the current directory where it runs, else the last one used.
---@param callback fun(client: vim.lsp.Client)
function M.with_workspace(callback)
  local bufnr = vim.api.nvim_get_current_buf()
  if not M.refusal(bufnr) then
    return M.with_file(bufnr, callback)
  end
  local root = root_of_cwd()
  local running = {}
  for id, state in pairs(states) do
    running[state.root] = id
  end
  local id = running[root] or running[last_root]
  if not id and root then
    id = start(root, nil, true)
  elseif not id then
    return notify.info("neither this buffer nor the current directory is in a repository")
  end
  when_ready(id, callback)
end

--- Every client, with its root.
---@return { client: vim.lsp.Client, root: string, ready: boolean }[]
function M.all()
  local found = {}
  for id, state in vim.spairs(states) do
    local client = vim.lsp.get_client_by_id(id)
    if client then
      table.insert(found, { client = client, root = state.root, ready = state.ready })
    end
  end
  return found
end

--- Ends every client and starts it anew; with `daemon`, the shared servers as well.
---@param daemon boolean
function M.restart(daemon)
  local roots = {}
  for id, state in pairs(states) do
    state.stopping = true
    roots[state.root] = true
    local client = vim.lsp.get_client_by_id(id)
    if client then
      request.invoke(client, "stop", false)
    end
  end
  restarts = {}
  if vim.tbl_isempty(roots) then
    local root = M.root_of(0) or root_of_cwd()
    if not root then
      return notify.info("this file is in no repository")
    end
    roots[root] = true
  end
  for root in pairs(roots) do
    local function begin()
      M.attach_all(root)
      start(root)
    end
    if daemon then
      local program = config.get().cmd[1]
      vim.system({ program, "daemon", "stop", root }, { text = true }, vim.schedule_wrap(begin))
    else
      vim.schedule(begin)
    end
  end
end

return M
