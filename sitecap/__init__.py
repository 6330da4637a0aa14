"""What both programs, `agent` and `capacity`, stand on and which belongs to neither: settings in layers, commands."""
