--- A fake of telescope: as much of it as the extension calls, in one list and one preview window.
local M = { extensions = {} }

function M.register_extension(extension)
  return extension
end

function M.load_extension(name)
  M.extensions[name] = require("telescope._extensions." .. name).exports
end

return M
