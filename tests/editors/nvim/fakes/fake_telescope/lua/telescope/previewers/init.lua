return {
  new_buffer_previewer = function(options)
    return options
  end,
}
