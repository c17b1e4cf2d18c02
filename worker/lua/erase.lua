-- Erases a finished invitation whose time is over. ARGV: id, account, state, not after (ms). Returns 1 where it is gone.
local id, account, state, cutoff = unpack(ARGV)
local shelf = state_key(account, state)
local at = score(shelf, id)
if not at or at > tonumber(cutoff) then return 0 end
redis.call('ZREM', shelf, id)
redis.call('ZREM', expected_key(account), id)
redis.call('DEL', record_key(id))
return 1
