-- Onto the opt-out list; who stands there already keeps its time. ARGV: key of the list, digests... Returns how many are
-- new.
local now, added = int(now_ms()), 0
for place = 2, #ARGV do added = added + redis.call('HSETNX', ARGV[1], ARGV[place], now) end
return added
