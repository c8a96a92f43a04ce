--- The modules that know no server: `nvim -l pure.lua PLUGIN CASES`.

local plugin, cases = arg[1], arg[2]
vim.opt.rtp:prepend(plugin)
package.path = vim.fs.dirname(arg[0]) .. "/?.lua;" .. package.path

local check = require("check")
local it, same = check.it, check.same

local filters = require("codeintel.filters")
for _, case in ipairs(vim.json.decode(table.concat(vim.fn.readfile(cases), "\n"))) do
  it("filters: " .. case.text, function()
    local parsed = filters.parse(case.text)
    parsed.quoted = nil
    same({
      query = case.query,
      languages = case.languages or {},
      globs = case.globs or {},
      author = case.author,
      since = case.since,
      until_ = case["until"],
      mode = case.mode,
      phrases = case.phrases or {},
      problems = case.problems or {},
    }, parsed)
  end)
end

it("a phrase has whole snippets asked for, and is looked for in them", function()
  local wanted = filters.parse('cache "time to live"')
  local params = filters.search_params(wanted, 20)
  same({ 'cache "time to live"', 200, 200 }, { params.query, params.limit, params.snippetLines })
  same(nil, params.mode)
  same("lexical", filters.search_params(filters.parse('"time to live"'), 20).mode)
  local function line(text, query)
    return filters.line_of_phrases(filters.parse(query), text)
  end
  same(1, line("its\nTime to  Live\nhas passed", '"time to live"'))
  same(0, line("its time\nto live", '"time to live"'))
  same(nil, line("its time to live", '"Time to live"'))
  same(nil, line("its time to live", '"time to" "die"'))
  same(0, line("f(x) + 1", '"f(x) + 1"'))
end)

it("parameters without a filter are left out", function()
  same({ query = "x", limit = 7 }, filters.search_params(filters.parse("x"), 7))
  same({ query = "x", limit = 7 }, filters.history_params(filters.parse("lang:py x"), 7))
end)

local dates = require("codeintel.dates")
it("ages", function()
  local now = 1000000000
  same("just now", dates.relative(now - 5, now))
  same("1 minute ago", dates.relative(now - 60, now))
  same("3 weeks ago", dates.relative(now - 22 * 86400, now))
  same("6 years ago", dates.relative(now - 6 * 365 * 86400, now))
  same("in the future", dates.relative(now + 3600, now))
  same("3w", dates.short(now - 22 * 86400, now))
  same("2020-09-13 14:26 +0200", dates.full(1600000000, 120))
  same("2020-09-13 06:56 -0530", dates.full(1600000000, -330))
  same("2020-09-13", dates.format(1600000000, 120, "%Y-%m-%d", now))
end)

local template = require("codeintel.template")
local commit = {
  id = ("a"):rep(40),
  shortId = ("a"):rep(10),
  author = { name = "Ann", email = "ann@example.org", time = 1600000000, offset = 0 },
  summary = ("x"):rep(100),
  message = "",
}
it("templates", function()
  local function render(format)
    return template.render(commit, format, "%Y", 1600000000)
  end
  same("Ann 2020", render("{author} {date}"))
  same("{author} aaaaaaaaaa", render("{{author} {id}"))
  same("{nobody} {author", render("{nobody} {author"))
  same(72, vim.fn.strchars(render("{summary}")))
  same("ann@example.org", render(function(given)
    return given.author.email
  end))
  same("a b", render(function()
    return "a\nb"
  end))
  same("blame.format: the function returned no string", render(function() end))
end)

local cache = require("codeintel.blame.cache")
it("edits move what is known", function()
  local function shifted(first, last, new_last)
    local known = { first = 10, lines = { "a", "b", "c", "d" } }
    cache.shift(known, first, last, new_last)
    return { known.first, known.lines }
  end
  same({ 10, { "a", false, "c", "d" } }, shifted(11, 12, 12))
  same({ 10, { "a", false, false, "b", "c", "d" } }, shifted(11, 11, 13))
  same({ 10, { "a", "d" } }, shifted(11, 13, 11))
  same({ 12, { "a", "b", "c", "d" } }, shifted(0, 0, 2))
  same({ 8, { "a", "b", "c", "d" } }, shifted(2, 4, 2))
  same({ 10, { "a", "b", "c", "d" } }, shifted(20, 25, 20))
  same({ 8, { "c", "d" } }, shifted(8, 12, 8))
  same({ 10, { "a", "b", "c", false } }, shifted(13, 30, 14))
end)

local config = require("codeintel.config")
it("right options are taken over", function()
  local made, problems = config.resolve({ blame = { enabled = true, delay = 5 }, picker = "select" })
  same({}, problems)
  same({ true, 5, "eol", "select" }, {
    made.blame.enabled,
    made.blame.delay,
    made.blame.position,
    made.picker,
  })
end)

it("wrong options are told, and left at their defaults", function()
  local function problem(given)
    local made, problems = config.resolve(given)
    same(config.defaults(), made)
    same(1, #problems)
    return problems[1]
  end
  same('"blame.delay" must be a whole number, 0 or more, not "soon".', problem({ blame = { delay = "soon" } }))
  same('"blame.delay" must be a whole number, 0 or more, not -1.', problem({ blame = { delay = -1 } }))
  same('"blame.enable" is no option. Did you mean "blame.enabled"?', problem({ blame = { enable = true } }))
  same('"colour" is no option.', problem({ colour = "red" }))
  same('"blame" must be a table of options.', problem({ blame = true }))
  same('"cmd" must be a list of strings, not "codeintel-ls".', problem({ cmd = "codeintel-ls" }))
  same('"cmd" must name a program.', problem({ cmd = {} }))
  same(
    '"picker" must be one of "auto", "snacks", "telescope", "fzf-lua", "select", "quickfix", not "fzf".',
    problem({ picker = "fzf" })
  )
end)

local revision = require("codeintel.revision")
it("names and addresses of files at a commit", function()
  local place = { root = "/home/me/my project", commit = "1a2b", path = "src/a b.py", diff = false }
  same(place, revision.parse_name(revision.name(place)))
  place.diff = true
  same(place, revision.parse_name(revision.name(place)))
  same(
    { root = "/home/me", commit = "HEAD", path = "ä.py", diff = false },
    revision.parse_uri(
      "codeintel-git:/%C3%A4.py?%7B%22commit%22%3A%22HEAD%22%2C%22folder%22%3A%22file%3A%2F%2F%2Fhome%2Fme%22%7D"
    )
  )
  same(nil, revision.parse_uri("codeintel-git:/a.py?nonsense"))
  same(nil, revision.parse_name("/home/me/a.py"))
end)

local highlight = require("codeintel.highlight")
it("ages have colours, from the newest to the oldest", function()
  local function heat(days)
    return highlight.heat(days * 86400)
  end
  same({ "CodeIntelHeat1", "CodeIntelHeat1" }, { heat(-1), heat(0.5) })
  same({ "CodeIntelHeat4", "CodeIntelHeat8", "CodeIntelHeat8" }, { heat(30), heat(3650), heat(36500) })
end)

it("messages are one line that fits", function()
  local notify = require("codeintel.notify")
  vim.o.columns = 80
  same("a b", notify.one_line(" a\n\tb "))
  same(66, vim.api.nvim_strwidth(notify.one_line(("ä"):rep(500))))
end)

check.finish()
