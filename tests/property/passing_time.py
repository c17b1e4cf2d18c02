"""Lets time pass in a ledger without waiting for it: every time that stands in it is moved into the past.

The scripts read Redis's own clock and nothing else, so this is as good as the time itself having passed.
"""

from redis import Redis

# A turn below 1e12 is a place in an order, and one above 9e15 no time that ever comes. An account may stand behind the
# name of a field: `passed:shop_nl`.
PASS_TIME = """
local back = ARGV[1]
local sets = {ready = 1, line = 1, inflight = 1, passed = 1, state = 1, expected = 1, turns = 1, active = 1}
local hashes = {gate = 1, pause = 1, record = 1}

local function is_time(field)
  local name = field:match('^[^:]*')
  return name == 'at' or name == 'passed' or name:match('_at$') or name:match('_until$') or name:match('_since$')
end

for _, key in ipairs(redis.call('KEYS', 'invitations:*')) do
  local kind = key:match('^invitations:([^:]*)')
  if sets[kind] then
    local from, to = '-inf', '+inf'
    if kind == 'turns' then from, to = '1e12', '(9e15' end
    for _, member in ipairs(redis.call('ZRANGEBYSCORE', key, from, to)) do
      redis.call('ZINCRBY', key, back, member)
    end
  elseif hashes[kind] then
    for _, field in ipairs(redis.call('HKEYS', key)) do
      if is_time(field) then redis.call('HINCRBY', key, field, back) end
    end
  end
end
"""


def pass_time(redis: Redis, ms: int) -> None:
    """Moves every line, lease, gate, pause, record and shelf `ms` milliseconds into the past."""
    redis.eval(PASS_TIME, 0, -ms)
