-- A Redis that is full refuses a script at its first write, unless that write frees memory, as this one does: what was
-- accepted is still brought to its end. Nothing here frees anything: there is no such key.
redis.call('DEL', P .. 'none')
