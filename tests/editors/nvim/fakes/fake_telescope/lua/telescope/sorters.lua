return {
  empty = function()
    return "sorter"
  end,
}
