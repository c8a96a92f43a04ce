--- `:checkhealth codeintel`

local M = {}

---@param command string[]
---@return string?
local function output(command)
  local ok, done = pcall(function()
    return vim.system(command, { text = true, timeout = 20000 }):wait()
  end)
  return ok and vim.trim(done.stdout) or nil
end

local function editor()
  vim.health.start("Neovim")
  if vim.fn.has("nvim-0.11") == 1 then
    vim.health.ok("Neovim " .. tostring(vim.version()))
  else
    vim.health.ok(
      "Neovim " .. tostring(vim.version()) .. "; 0.11 is what the plugin is tested with"
    )
  end
  local chosen = require("codeintel.picker").chosen()
  vim.health.ok("Results are shown with " .. chosen)
  if chosen == "select" then
    vim.health.info("For a live search install snacks.nvim, telescope.nvim or fzf-lua")
  end
end

local function options()
  vim.health.start("Options")
  local problems = require("codeintel.config").problems
  for _, problem in ipairs(problems) do
    vim.health.error(problem, { "See :help codeintel-options" })
  end
  if #problems == 0 then
    vim.health.ok("No problem in setup{}")
  end
end

---@param program string
---@param checks table[]
local function doctor(program, checks)
  for _, check in ipairs(checks) do
    local text = ("%s: %s"):format(check.name, check.message)
    if check.health == "ok" then
      vim.health.ok(text)
    elseif check.health == "note" then
      vim.health.info(text)
    else
      vim.health.warn(
        text,
        check.advice and { check.advice } or { program .. " doctor tells more" }
      )
    end
  end
end

local function server()
  vim.health.start("Server")
  local command = require("codeintel.config").get().cmd
  local path = vim.fn.exepath(command[1])
  if path == "" then
    vim.health.error(command[1] .. " was not found", {
      "Install it, for instance with: uv tool install codeintel-ls, or pipx install codeintel-ls",
      'Or name it: require("codeintel").setup{ cmd = { "/path/to/codeintel-ls", "connect" } }',
    })
    return
  end
  vim.health.ok(("%s (%s)"):format(output({ path, "--version" }) or command[1], path))
  local client = require("codeintel.client")
  local root = (client.all()[1] or {}).root or vim.uv.cwd()
  local text = output({ path, "doctor", "--json", root })
  local ok, found = pcall(vim.json.decode, text or "")
  if ok and type(found) == "table" and type(found.checks) == "table" then
    doctor(command[1], found.checks)
  end
end

local function clients()
  vim.health.start("Workspaces")
  local all = require("codeintel.client").all()
  if #all == 0 then
    vim.health.info("No server is running; one starts with the first file of a repository")
  end
  for _, one in ipairs(all) do
    local status = require("codeintel.status")
    local buffers = vim.tbl_count(one.client.attached_buffers)
    local said = status.of(next(one.client.attached_buffers) or -1)
    vim.health.ok(
      ("%s: %d buffers%s"):format(
        vim.fn.fnamemodify(one.root, ":~"),
        buffers,
        said and (", %s. %s"):format(said.state, said.message) or ""
      )
    )
  end
end

function M.check()
  editor()
  options()
  server()
  clients()
end

return M
