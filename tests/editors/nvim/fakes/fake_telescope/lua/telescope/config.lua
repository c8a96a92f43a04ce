return {
  values = {
    generic_sorter = function()
      return "sorter"
    end,
  },
}
