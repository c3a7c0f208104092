"""What administrators and developers see: health, statistics, announcements, /dev pages."""
