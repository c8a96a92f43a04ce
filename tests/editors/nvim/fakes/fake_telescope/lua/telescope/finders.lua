return {
  new_table = function(options)
    return function(_, found, complete)
      for _, result in ipairs(options.results) do
        found(options.entry_maker(result))
      end
      complete()
    end
  end,
}
