-- Tells a gate what is configured, and sees to it that everything that waits behind it has a clock.
-- ARGV: gate, count or '', period ms or '', burst or '', concurrency, account...
local gate, count, period, burst, concurrency = unpack(ARGV)
local key = gate_key(gate)
local before = fields(key, 'count', 'period')
if (before[1] or '') ~= count or (before[2] or '') ~= period then
  -- Whoever names another limit knows better than what refusals taught.
  redis.call('HDEL', key, 'taught_count', 'taught_period', 'taught_at', 'grown', 'failed', 'tried_from', 'late', 'unsure',
    'stray_at')
end
if count == '' then
  redis.call('HDEL', key, 'count', 'period')
else
  redis.call('HSET', key, 'count', count, 'period', period)
end
if burst == '' then redis.call('HDEL', key, 'burst') else redis.call('HSET', key, 'burst', burst) end
redis.call('HSET', key, 'concurrency', concurrency)
redis.call('HDEL', key, 'look_at', 'full')
for index = 6, #ARGV do
  local account = ARGV[index]
  local left = redis.call('HGET', GATES, account)
  if left and left ~= gate then
    redis.call('ZREM', turns_key(left), account)
    redis.call('SREM', members_key(left), account)
    redis.call('SREM', busy_key(left), account)
    free_place(left)
  end
  redis.call('SADD', members_key(gate), account)
  redis.call('HSET', GATES, account, gate)
end
-- Also those who stand there and are no longer configured.
for _, account in ipairs(redis.call('SMEMBERS', members_key(gate))) do
  local first, lease_ends = lowest(line_key(account)), lowest(inflight_key(account))
  if first or lease_ends then note_active(account) end
  if first then
    redis.call('ZADD', turns_key(gate), 'LT', int(first), account)
    wake(gate, first)
  end
  if lease_ends then
    redis.call('SADD', busy_key(gate), account)
    wake(gate, lease_ends)
  end
end
return 1
