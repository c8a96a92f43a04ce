return {
  highlighter = function(bufnr, filetype)
    vim.bo[bufnr].filetype = filetype
  end,
}
