"""Profile → text: one pure function per format; nothing here reads the machine or writes a stream."""
