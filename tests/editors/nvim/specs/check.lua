--- What the specs of pure modules share: `it(name, function)`, and an exit code.

local M = { failed = 0, passed = 0 }

---@param wanted any
---@param got any
function M.same(wanted, got)
  if not vim.deep_equal(wanted, got) then
    error(("wanted %s, got %s"):format(vim.inspect(wanted), vim.inspect(got)), 2)
  end
end

---@param name string
---@param run fun()
function M.it(name, run)
  local ok, message = xpcall(run, debug.traceback)
  if ok then
    M.passed = M.passed + 1
  else
    M.failed = M.failed + 1
    io.stderr:write(("FAILED %s: %s\n"):format(name, message))
  end
end

function M.finish()
  print(("%d passed, %d failed"):format(M.passed, M.failed))
  os.exit(M.failed == 0 and M.passed > 0 and 0 or 1)
end

return M
