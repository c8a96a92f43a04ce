--- How the server is: told by its notifications, shown in a statusline, a float and events.

local M = {}

---@class codeintel.Status
---@field health "ok"|"warning"|"error"
---@field state "scanning"|"indexing"|"ready"|"merging"|"failed"
---@field message string

---@type table<integer, codeintel.Status>
local latest = {}

--- A statusline is drawn anew, so that whoever has the component need do nothing.
local function redraw()
  vim.cmd.redrawstatus({ bang = true })
end

---@param client_id integer
---@param status codeintel.Status
function M.told(client_id, status)
  latest[client_id] = status
  local client = vim.lsp.get_client_by_id(client_id)
  vim.api.nvim_exec_autocmds("User", {
    pattern = "CodeIntelStatus",
    modeline = false,
    data = vim.tbl_extend(
      "force",
      { client_id = client_id, root = client and client.root_dir },
      status
    ),
  })
  redraw()
end

---@param client_id integer
function M.forget(client_id)
  latest[client_id] = nil
  vim.api.nvim_exec_autocmds("User", {
    pattern = "CodeIntelStatus",
    modeline = false,
    data = { client_id = client_id, state = "stopped", health = "ok", message = "" },
  })
  redraw()
end

--- The latest status of the client that serves a buffer; nil where none does.
---@param bufnr integer
---@return codeintel.Status?
function M.of(bufnr)
  local client = vim.lsp.get_clients({ bufnr = bufnr, name = "codeintel" })[1]
  return client and latest[client.id]
end

local WORDS = {
  scanning = "looking",
  indexing = "indexing",
  merging = "merging",
  failed = "failed",
  ready = "",
}

--- A few characters for a statusline; empty where there is nothing to know.
---@param bufnr? integer
---@return string
function M.statusline(bufnr)
  local status = M.of(bufnr or vim.api.nvim_get_current_buf())
  if not status then
    return ""
  end
  local word = WORDS[status.state] or status.state
  if status.health ~= "ok" and word == "" then
    word = status.health == "error" and "error" or "!"
  end
  return word == "" and "CI" or "CI " .. word
end

---@param bytes integer
---@return string
local function size(bytes)
  if bytes >= 1024 * 1024 then
    return ("%.1f MB"):format(bytes / 1024 / 1024)
  end
  return ("%.0f kB"):format(bytes / 1024)
end

---@param folder table `FolderStatus`
---@param lines string[]
local function describe(folder, lines)
  local add = function(text)
    table.insert(lines, text)
  end
  add("# " .. vim.fn.fnamemodify(vim.uri_to_fname(folder.uri), ":~"))
  add("")
  add(("- state:     %s, generation %d"):format(folder.state, folder.generation))
  add(("- can be found: %d files, %d places"):format(folder.files, folder.chunks))
  if folder.pending > 0 then
    add(("- to come:   %d files"):format(folder.pending))
  end
  local primary = folder.primary
  add(
    ("- indexes:   %s with %d vectors, %d since, %d gone"):format(
      primary.kind,
      primary.vectors,
      folder.secondary.vectors,
      folder.tombstones
    )
  )
  add(("- model:     %s"):format(folder.embedder))
  add(
    ("- takes:     %s of memory, %s of disk"):format(
      size(folder.memoryBytes),
      size(folder.diskBytes)
    )
  )
  local skipped = {}
  for reason, count in vim.spairs(folder.skipped) do
    table.insert(skipped, ("%d %s"):format(count, reason))
  end
  if #skipped > 0 then
    add("- left out:  " .. table.concat(skipped, ", "))
  end
  for _, notice in ipairs(folder.notices) do
    add("- note:      " .. notice)
  end
  if folder.lastError then
    add("- error:     " .. folder.lastError)
  end
  add("")
end

--- Shows the index of every folder of the workspace.
function M.show()
  require("codeintel.client").with_workspace(function(client)
    require("codeintel.request").send(client, "indexStatus", {}, function(result)
      local lines = {}
      for _, folder in ipairs(result.folders) do
        describe(folder, lines)
      end
      table.remove(lines)
      require("codeintel.float").open(lines, { filetype = "markdown", title = "CodeIntel status" })
    end)
  end)
end

--- `rebuildIndex`, `mergeIndexes` or `updateIndex`, with progress, and a word at the end.
---@param operation string
---@param done string
function M.work(operation, done)
  require("codeintel.client").with_workspace(function(client)
    local params = { workDoneToken = "codeintel-" .. operation .. "-" .. vim.uv.hrtime() }
    require("codeintel.request").send(client, operation, params, function(result)
      local files = 0
      for _, folder in ipairs(result.folders) do
        files = files + folder.files
      end
      require("codeintel.notify").info(("%s, %d files can be found"):format(done, files))
    end)
  end)
end

--- The end of the server's log, in a buffer of its own.
function M.log()
  local program = require("codeintel.config").get().cmd[1]
  local client = require("codeintel.client")
  local root = client.root_of(0) or (client.all()[1] or {}).root or vim.uv.cwd()
  vim.system(
    { program, "daemon", "logs", root },
    { text = true },
    vim.schedule_wrap(function(done)
      local text = vim.trim(done.stdout ~= "" and done.stdout or done.stderr or "")
      vim.cmd("botright new")
      vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, "\n"))
      vim.bo.buftype, vim.bo.bufhidden, vim.bo.swapfile = "nofile", "wipe", false
      vim.bo.filetype, vim.bo.modifiable = "codeintellog", false
      vim.cmd("normal! G")
      vim.keymap.set("n", "q", "<Cmd>close<CR>", { buffer = true, nowait = true })
    end)
  )
end

return M
