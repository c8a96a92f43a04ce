local function picker(operation)
  return function(options)
    require("codeintel.search").with_picker("telescope", operation, options or {})
  end
end

return require("telescope").register_extension({
  exports = {
    codeintel = picker("search"),
    search = picker("search"),
    similar = picker("similar"),
    history = picker("history"),
    history_line = picker("history_line"),
    search_history = picker("search_history"),
  },
  health = function()
    require("codeintel.health").check()
  end,
})
